/* Replies: bytes and files. Ranges: RFC 9110 14.1.2, a single one; several are answered whole. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "net/httpd_internal.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

void httpd_set_header(HttpdRequest *request, const char *name, const char *value)
{
	if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
		return; /* would split the reply */
	vec_push(&request->headers, mem_strdup(name));
	vec_push(&request->headers, mem_strdup(value));
}

static bool is_crowded(Httpd *httpd)
{
	pthread_mutex_lock(&httpd->lock);
	bool crowded = httpd->open > httpd->max_kept;
	pthread_mutex_unlock(&httpd->lock);
	return crowded;
}

void httpd_queue(HttpdRequest *request, int status, struct MHD_Response *take_response)
{
	if (!take_response)
		abort(); /* memory is out */
	if (is_crowded(request->httpd))
		MHD_add_response_header(take_response, "Connection", "close");
	for (size_t i = 0; i + 1 < request->headers.len; i += 2)
		MHD_add_response_header(take_response, request->headers.items[i],
					request->headers.items[i + 1]);
	if (!request->replied)
		MHD_queue_response(request->connection, (unsigned)status, take_response);
	request->replied = true;
	request->status = status;
	MHD_destroy_response(take_response);
}

void httpd_reply_take(HttpdRequest *request, int status, const char *content_type, char *take_body,
		      size_t len)
{
	if (content_type)
		httpd_set_header(request, "Content-Type", content_type);
	request->reply_bytes = len;
	httpd_queue(request, status,
		    MHD_create_response_from_buffer(len, take_body, MHD_RESPMEM_MUST_FREE));
}

void httpd_reply(HttpdRequest *request, int status, const char *content_type, const void *body,
		 size_t len)
{
	httpd_reply_take(request, status, content_type, mem_dup(body, len), len);
}

/* --- files --- */

typedef enum { RANGE_WHOLE, RANGE_PART, RANGE_BAD } RangeKind;

typedef struct {
	uint64_t from, len;
} Range;

/* "-N": the last N bytes. */
static RangeKind suffix_range(Str text, uint64_t size, Range *out)
{
	unsigned long long count;
	if (!str_to_u64(text, &count))
		return RANGE_WHOLE;
	if (count == 0 || size == 0)
		return RANGE_BAD;
	out->len = count < size ? count : size;
	out->from = size - out->len;
	return RANGE_PART;
}

/* What is not understood is ignored, as the RFC has it. */
static RangeKind parse_range(const char *text, uint64_t size, Range *out)
{
	Str spec = str_of(text), first, last;
	unsigned long long from, to;
	if (spec.len < 6 || strncasecmp(spec.ptr, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	spec = str_trim(str_slice(spec, 6, spec.len));
	if (str_find_char(spec, ',') >= 0 || !str_cut(spec, '-', &first, &last))
		return RANGE_WHOLE;
	if (first.len == 0)
		return suffix_range(last, size, out);
	if (!str_to_u64(first, &from))
		return RANGE_WHOLE;
	if (last.len == 0)
		to = UINT64_MAX;
	else if (!str_to_u64(last, &to) || to < from)
		return RANGE_WHOLE;
	if (from >= size)
		return RANGE_BAD;
	*out = (Range){from, (to < size ? to + 1 : size) - from};
	return RANGE_PART;
}

static const char *own_header(const HttpdRequest *request, const char *name)
{
	for (size_t i = 0; i + 1 < request->headers.len; i += 2)
		if (strcasecmp(request->headers.items[i], name) == 0)
			return request->headers.items[i + 1];
	return NULL;
}

/* A range counts for GET only, and under If-Range only when our ETag is the one it names. */
static RangeKind wanted_range(const HttpdRequest *request, uint64_t size, Range *out)
{
	const char *text = httpd_header(request, "Range");
	const char *if_range = httpd_header(request, "If-Range");
	if (!text || !cstr_eq(request->method, "GET"))
		return RANGE_WHOLE;
	if (if_range && !cstr_eq(if_range, own_header(request, "ETag")))
		return RANGE_WHOLE;
	return parse_range(text, size, out);
}

/* libmicrohttpd sends the head of a file's reply as a packet of its own: for a small file that is
 * half of all the work. NULL where the bytes were not all to be had. */
static struct MHD_Response *read_small(const HttpdRequest *request, int fd, const Range *range)
{
	enum { SMALL = 32 << 10 };
	if (range->len == 0 || range->len > SMALL || !cstr_eq(request->method, "GET"))
		return NULL;
	autofree char *bytes = mem_alloc((size_t)range->len);
	ssize_t got = pread(fd, bytes, (size_t)range->len, (off_t)range->from);
	if (got < 0 || (uint64_t)got != range->len)
		return NULL;
	return MHD_create_response_from_buffer((size_t)range->len, steal(&bytes),
					       MHD_RESPMEM_MUST_FREE);
}

void httpd_reply_file(HttpdRequest *request, int take_fd, const char *content_type)
{
	autofd int fd = take_fd;
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		httpd_reply(request, 500, "text/plain", "not a file\n", 11);
		return;
	}
	uint64_t size = (uint64_t)st.st_size;
	Range range = {0, size};
	RangeKind kind = wanted_range(request, size, &range);
	httpd_set_header(request, "Accept-Ranges", "bytes");
	if (kind == RANGE_BAD) {
		autofree char *text = mem_printf("bytes */%llu", (unsigned long long)size);
		httpd_set_header(request, "Content-Range", text);
		httpd_reply(request, 416, NULL, "", 0);
		return;
	}
	if (kind == RANGE_PART) {
		autofree char *text = mem_printf(
			"bytes %llu-%llu/%llu", (unsigned long long)range.from,
			(unsigned long long)(range.from + range.len - 1), (unsigned long long)size);
		httpd_set_header(request, "Content-Range", text);
	}
	if (content_type)
		httpd_set_header(request, "Content-Type", content_type);
	struct MHD_Response *response = read_small(request, fd, &range);
	if (!response)
		response = MHD_create_response_from_fd_at_offset64(range.len, fd_steal(&fd),
								   range.from);
	httpd_queue(request, kind == RANGE_PART ? 206 : 200, response);
}
