/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsock_echo: the peer of a guest's vsock_message (tests/bench/virtio.c). Accepts one stream to
 * port 1 of AF_VSOCK, and sends back what comes.
 */
#include <err.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_vm own = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 1};
	int listener = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0), stream;
	char bytes[4096];
	ssize_t n;

	if (listener < 0 || bind(listener, (struct sockaddr *)&own, sizeof(own)) ||
	    listen(listener, 1))
		err(1, "listen");
	stream = accept(listener, NULL, NULL);
	if (stream < 0)
		err(1, "accept");
	while ((n = read(stream, bytes, sizeof(bytes))) > 0)
		if (write(stream, bytes, (size_t)n) != n)
			err(1, "write");
	return 0;
}
