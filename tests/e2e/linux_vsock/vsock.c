/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program of linux_vsock.toml:
 *
 *	vsock cid			print this VM's CID
 *	vsock serve PORT N		send back what comes, to N clients that say "bye" last
 *	vsock ask CID PORT TEXT		print what comes back for TEXT
 *	vsock bulk CID PORT BYTES	send that many bytes, and compare what comes back
 *	vsock say CID PORT TEXT		send a line
 *	vsock hold CID PORT FIFO	connect, and say how the stream ends after FIFO was opened
 *
 * A connection that is refused is tried again for a minute, but not with "say".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	printf("vsock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int new_socket(void)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static struct sockaddr_vm address(unsigned cid, unsigned port)
{
	return (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
}

static int connect_to(unsigned cid, unsigned port, int tries)
{
	struct sockaddr_vm to = address(cid, port);

	for (;;) {
		int fd = new_socket();

		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			return fd;
		if (--tries <= 0)
			die("connect");
		close(fd);
		sleep(1);
	}
}

static void write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			die("write");
		data += n;
		len -= (size_t)n;
	}
}

/* Send back what comes. Whether it ends with "bye". */
static int echo(int fd)
{
	char data[8192], last[3] = "";
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0) {
		write_all(fd, data, (size_t)n);
		if (n >= 3)
			memcpy(last, data + n - 3, 3);
	}
	return memcmp(last, "bye", 3) == 0;
}

static void on_child(int signal)
{
	(void)signal;
}

static void serve(unsigned port, int n)
{
	struct sockaddr_vm here = address(VMADDR_CID_ANY, port);
	int fd = new_socket(), status;

	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child}, NULL);
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(fd, 8) != 0)
		die("listen");
	while (n > 0) {
		int client = accept(fd, NULL, NULL);

		if (client < 0 && errno != EINTR)
			die("accept");
		if (client >= 0 && fork() == 0)
			_exit(echo(client));
		if (client >= 0)
			close(client);
		while (waitpid(-1, &status, WNOHANG) > 0)
			n -= WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
}

static void ask(unsigned cid, unsigned port, const char *text)
{
	int fd = connect_to(cid, port, 60);
	size_t len = strlen(text), n = 0;
	char data[256];

	write_all(fd, text, len);
	while (n < len) {
		ssize_t more = read(fd, data + n, sizeof(data) - n);

		if (more <= 0)
			die("read");
		n += (size_t)more;
	}
	printf("answer: %.*s\n", (int)n, data);
}

static char byte_at(size_t i)
{
	return (char)(i * 7 + i / 251);
}

static void bulk(unsigned cid, unsigned port, size_t len)
{
	int fd = connect_to(cid, port, 60);
	char *data = malloc(len);
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		data[i] = byte_at(i);
	if (fork() == 0) {
		write_all(fd, data, len);
		_exit(0);
	}
	while (n < len) {
		ssize_t more = read(fd, data, len);

		if (more <= 0)
			die("read");
		for (ssize_t i = 0; i < more; i++, n++)
			if (data[i] != byte_at(n)) {
				printf("vsock: byte %zu is wrong\n", n);
				exit(1);
			}
	}
	printf("bulk: %zu bytes are the same\n", n);
}

static void hold(unsigned cid, unsigned port, const char *fifo)
{
	int fd = connect_to(cid, port, 60);
	char data;

	printf("held\n");
	fflush(stdout);
	if (open(fifo, O_RDONLY) < 0)
		die("fifo");
	printf("held stream: %s\n", read(fd, &data, 1) < 0 ? strerror(errno) : "end");
}

static void print_cid(void)
{
	int fd = open("/dev/vsock", O_RDONLY);
	unsigned cid;

	if (fd < 0 || ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) != 0)
		die("/dev/vsock");
	printf("%u\n", cid);
}

int main(int argc, char **argv)
{
	unsigned first = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 0;
	unsigned second = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 0;

	if (argc == 2 && strcmp(argv[1], "cid") == 0)
		print_cid();
	else if (argc == 4 && strcmp(argv[1], "serve") == 0)
		serve(first, (int)second);
	else if (argc == 5 && strcmp(argv[1], "ask") == 0)
		ask(first, second, argv[4]);
	else if (argc == 5 && strcmp(argv[1], "bulk") == 0)
		bulk(first, second, strtoul(argv[4], NULL, 0));
	else if (argc == 5 && strcmp(argv[1], "say") == 0)
		write_all(connect_to(first, second, 1), argv[4], strlen(argv[4]));
	else if (argc == 5 && strcmp(argv[1], "hold") == 0)
		hold(first, second, argv[4]);
	else
		return 2;
	return 0;
}
