/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of an HTTP server. Each request has a connection of its own, so that no answer of one
 * disturbs the next. A request, and each piece of a body, must come to its end within a time. The
 * length that the answer to GET tells must be the one that HEAD told, for which there is memory.
 */
#include "boot/http.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/http_answer.h"
#include "boot/http_protocol.h"

#define TIMEOUT_S  30
#define TIMER_UNIT UINT64_C(10000000) /* 100 ns in a second */
#define POLL_US	   50
#define PIECE_MAX  (UINT64_C(1) << 20)

_Static_assert(sizeof(struct http_answer_header) == sizeof(struct http_header), "");

/* One request and its answer. */
struct exchange {
	const char *url;
	struct net_child child;
	struct http_protocol *http;
	EFI_EVENT done, deadline;
	bool is_done; /* set by the event 'done' */
	struct http_token token;
	struct http_message message;
};

static VOID EFIAPI set_done(EFI_EVENT event, void *context)
{
	struct exchange *exchange = context;

	(void)event;
	*(volatile bool *)&exchange->is_done = true;
}

static EFI_STATUS create_events(struct exchange *exchange)
{
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	EFI_STATUS status =
		services->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, (EFI_EVENT_NOTIFY)set_done,
				      exchange, &exchange->done);

	if (EFI_ERROR(status))
		return status;
	status = services->CreateEvent(EVT_TIMER, 0, NULL, NULL, &exchange->deadline);
	if (EFI_ERROR(status))
		services->CloseEvent(exchange->done);
	return status;
}

static EFI_STATUS open_exchange(const struct net *net, const char *url, struct exchange *ret)
{
	static const EFI_GUID binding = HTTP_BINDING_GUID, protocol = HTTP_GUID;
	struct http_access_point point = {.use_default_address = TRUE};
	struct http_config config = {.version = HTTP_VERSION_1_1,
				     .timeout_ms = TIMEOUT_S * 1000,
				     .access_point = &point};
	EFI_STATUS status = net_child_open(net, &binding, &protocol, &ret->child);

	if (status == EFI_UNSUPPORTED)
		return firmware_fail(
			status, L"%a: the firmware does not speak HTTP; use a TFTP server", url);
	if (EFI_ERROR(status))
		return firmware_fail(status, L"%a: the firmware cannot begin a transfer", url);
	ret->url = url;
	ret->http = ret->child.protocol;
	status = ret->http->configure(ret->http, &config);
	if (!EFI_ERROR(status))
		status = create_events(ret);
	if (EFI_ERROR(status)) {
		net_child_close(&ret->child);
		return firmware_fail(status, L"%a: the firmware cannot begin a transfer", url);
	}
	ret->token.event = ret->done;
	ret->token.message = &ret->message;
	return EFI_SUCCESS;
}

static void close_exchange(struct exchange *exchange)
{
	net_child_close(&exchange->child);
	firmware->BootServices->CloseEvent(exchange->done);
	firmware->BootServices->CloseEvent(exchange->deadline);
}

/* Wait until what was begun with 'status' has ended. */
static EFI_STATUS finish(struct exchange *exchange, EFI_STATUS status)
{
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	const volatile bool *is_done = &exchange->is_done;

	if (EFI_ERROR(status))
		return status;
	services->SetTimer(exchange->deadline, TimerRelative, TIMEOUT_S * TIMER_UNIT);
	while (!*is_done) {
		exchange->http->poll(exchange->http);
		if (*is_done)
			break;
		if (!EFI_ERROR(services->CheckEvent(exchange->deadline))) {
			exchange->http->cancel(exchange->http, &exchange->token);
			return EFI_TIMEOUT;
		}
		services->Stall(POLL_US);
	}
	return exchange->token.status;
}

/* Send what is in the message. */
static EFI_STATUS send(struct exchange *exchange)
{
	exchange->is_done = false;
	return finish(exchange, exchange->http->request(exchange->http, &exchange->token));
}

static EFI_STATUS receive(struct exchange *exchange)
{
	exchange->is_done = false;
	return finish(exchange, exchange->http->response(exchange->http, &exchange->token));
}

/* Send the head of a request, and the first 'len' bytes of the 'size' bytes of its body. */
static EFI_STATUS send_head(struct exchange *exchange, const struct net *net,
			    enum http_method method, void *body, uint64_t size)
{
	char host[URL_SIZE], length[URL_NUMBER_SIZE];
	CHAR16 url[URL_SIZE];
	struct http_request_data request = {.method = method, .url = url};
	struct http_header headers[] = {
		{"Host", host}, {"User-Agent", "Stencil"}, {"Content-Length", length}};

	CopyMem(host, (void *)(net->url.folder + net->url.host), net->url.host_len);
	host[net->url.host_len] = '\0';
	url_write_number(size, length);
	for (unsigned i = 0; i == 0 || url[i - 1] != L'\0'; i++)
		url[i] = (CHAR16)exchange->url[i];
	exchange->message = (struct http_message){
		.request = &request,
		.n_headers = method == HTTP_PUT ? 3 : 2,
		.headers = headers,
		.body_len = size < PIECE_MAX ? size : PIECE_MAX,
		.body = body,
	};
	return send(exchange);
}

static void free_headers(const struct http_message *message)
{
	if (message->headers == NULL)
		return;
	for (UINTN i = 0; i < message->n_headers; i++) {
		firmware->BootServices->FreePool(message->headers[i].name);
		firmware->BootServices->FreePool(message->headers[i].value);
	}
	firmware->BootServices->FreePool(message->headers);
}

/*
 * Receive the head of the answer, and what it means for 'method'. The firmware's status is an error
 * after each answer from 300 on.
 */
static EFI_STATUS receive_head(struct exchange *exchange, enum http_method method,
			       enum http_answer *ret, unsigned *ret_number, uint64_t *ret_size)
{
	struct http_response_data response = {};
	struct http_message *message = &exchange->message;
	EFI_STATUS status;

	*message = (struct http_message){.response = &response};
	status = receive(exchange);
	*ret_number = http_answer_number(response.status);
	if (EFI_ERROR(status) && *ret_number < 300) {
		free_headers(message);
		return status;
	}
	if (method == HTTP_PUT)
		*ret = http_answer_to_write(*ret_number);
	else
		*ret = http_answer_to_read(
			*ret_number, (const struct http_answer_header *)message->headers,
			message->headers == NULL ? 0 : message->n_headers, ret_size);
	free_headers(message);
	return EFI_SUCCESS;
}

/* Never EFI_NOT_FOUND, which is the server's word. */
static EFI_STATUS fail_transfer(EFI_STATUS status, const char *url)
{
	if (status == EFI_NOT_FOUND)
		status = EFI_NO_RESPONSE;
	if (status == EFI_ACCESS_DENIED)
		return firmware_fail(
			status, L"%a: the firmware allows no plain HTTP; use a TFTP server", url);
	return firmware_fail(status, L"%a: %s; check the server and the network", url,
			     net_reason(status));
}

/* The error that the answer means; the answer to HEAD that there is no file is not printed. */
static EFI_STATUS judge(const char *url, enum http_answer answer, unsigned number)
{
	switch (answer) {
	case HTTP_ANSWER_OK:
		return EFI_SUCCESS;
	case HTTP_ANSWER_MISSING:
		return EFI_NOT_FOUND;
	case HTTP_ANSWER_REDIRECT:
		return firmware_fail(EFI_ACCESS_DENIED,
				     L"%a: the server answers %d, a redirect, which is not "
				     L"followed; name the final URL",
				     url, number);
	case HTTP_ANSWER_NO_LENGTH:
		return firmware_fail(EFI_PROTOCOL_ERROR,
				     L"%a: the server does not tell the file's length; serve it "
				     L"as a plain file",
				     url);
	case HTTP_ANSWER_REFUSED:
		break;
	}
	return firmware_fail(EFI_ACCESS_DENIED,
			     L"%a: the server answers %d; its log tells the reason", url, number);
}

/* Send a request without a body, and judge the head of its answer. */
static EFI_STATUS ask(struct exchange *exchange, const struct net *net, enum http_method method,
		      uint64_t *ret_size)
{
	EFI_STATUS status = send_head(exchange, net, method, NULL, 0);
	enum http_answer answer;
	unsigned number;

	if (!EFI_ERROR(status))
		status = receive_head(exchange, method, &answer, &number, ret_size);
	if (EFI_ERROR(status))
		return fail_transfer(status, exchange->url);
	return judge(exchange->url, answer, number);
}

EFI_STATUS http_measure(const struct net *net, const char *url, uint64_t *ret_size)
{
	struct exchange exchange = {};
	EFI_STATUS status = open_exchange(net, url, &exchange);

	if (EFI_ERROR(status))
		return status;
	status = ask(&exchange, net, HTTP_HEAD, ret_size);
	close_exchange(&exchange);
	return status;
}

static EFI_STATUS read_body(struct exchange *exchange, char *buffer, uint64_t size)
{
	for (uint64_t at = 0, len; at < size; at += len) {
		EFI_STATUS status;

		len = size - at < PIECE_MAX ? size - at : PIECE_MAX;
		exchange->message = (struct http_message){.body_len = len, .body = buffer + at};
		status = receive(exchange);
		if (!EFI_ERROR(status) && exchange->message.body_len > len)
			status = EFI_PROTOCOL_ERROR;
		len = exchange->message.body_len;
		if (!EFI_ERROR(status) && len == 0)
			status = EFI_END_OF_FILE;
		if (EFI_ERROR(status))
			return firmware_fail(status,
					     L"%a: the server has sent %ld of %ld bytes: %s; check "
					     L"it and the network",
					     exchange->url, at, size, net_reason(status));
		net_show_progress(L"reading", exchange->url, at, at + len, size);
	}
	return EFI_SUCCESS;
}

EFI_STATUS http_read(const struct net *net, const char *url, void *buffer, uint64_t size)
{
	struct exchange exchange = {};
	uint64_t told = 0;
	EFI_STATUS status = open_exchange(net, url, &exchange);

	if (EFI_ERROR(status))
		return status;
	status = ask(&exchange, net, HTTP_GET, &told);
	if (status == EFI_NOT_FOUND)
		firmware_fail(status, L"%a: is gone, and was there a moment ago; try again", url);
	else if (!EFI_ERROR(status) && told != size)
		status = firmware_fail(EFI_PROTOCOL_ERROR,
				       L"%a: has %ld bytes, and had %ld a moment ago; try again",
				       url, told, size);
	else if (!EFI_ERROR(status))
		status = read_body(&exchange, buffer, size);
	close_exchange(&exchange);
	return status;
}

/* Send the body of a request whose head and first piece are sent. */
static EFI_STATUS write_body(struct exchange *exchange, char *data, uint64_t size)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (uint64_t at = PIECE_MAX, len; at < size && !EFI_ERROR(status); at += len) {
		len = size - at < PIECE_MAX ? size - at : PIECE_MAX;
		exchange->message = (struct http_message){.body_len = len, .body = data + at};
		status = send(exchange);
		net_show_progress(L"sending", exchange->url, at, at + len, size);
	}
	return status;
}

EFI_STATUS http_write(const struct net *net, const char *url, void *data, uint64_t size)
{
	struct exchange exchange = {};
	EFI_STATUS status = open_exchange(net, url, &exchange);
	enum http_answer answer;
	unsigned number;

	if (EFI_ERROR(status))
		return status;
	status = send_head(&exchange, net, HTTP_PUT, data, size);
	if (!EFI_ERROR(status))
		status = write_body(&exchange, data, size);
	if (!EFI_ERROR(status))
		status = receive_head(&exchange, HTTP_PUT, &answer, &number, NULL);
	if (EFI_ERROR(status))
		status = fail_transfer(status, url);
	else
		status = judge(url, answer, number);
	close_exchange(&exchange);
	return status;
}
