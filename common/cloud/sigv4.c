/*
 * The canonical request, the string to sign, the key derived from date, region and service: steps 1
 * to 4 of "Create a signed AWS API request". Bounds: what a URL and its headers are.
 */
#include "cloud/sigv4.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/digest.h"
#include "net/url.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { SHA256_BYTES = 32, SHA256_HEX = 65, STAMP_SIZE = 17 };

/* "20130524T000000Z" */
static void stamp_of(int64_t wall_ms, char out[STAMP_SIZE])
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(wall_ms, text);
	size_t len = 0;
	for (const char *at = text; *at && len < STAMP_SIZE - 1; at++)
		if (*at != '-' && *at != ':')
			out[len++] = *at;
	out[len] = '\0';
}

/* --- step 1: the canonical request --- */

/* Without empty and dot segments, each segment encoded once more (all services but S3). */
static void add_normal_path(Str path, Buf *out)
{
	autovec Vec kept = {0};
	Str rest = path, part;
	bool ends_open = str_ends(path, STR("/"));
	while (str_next(&rest, '/', &part)) {
		if (!part.len || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR("..")))
			free(vec_pop(&kept));
		else
			vec_push(&kept, str_dup(part));
	}
	for (size_t i = 0; i < kept.len; i++) {
		autofree char *segment = kept.items[i];
		autofree char *escaped = url_escape(segment, false);
		buf_printf(out, "/%s", escaped);
	}
	if (ends_open || !kept.len)
		buf_putc(out, '/');
}

static void add_path(const SigV4Request *request, const Url *url, Buf *out)
{
	if (cstr_eq(request->service, "s3"))
		buf_puts(out, *url->path ? url->path : "/");
	else
		add_normal_path(str_of(url->path), out);
}

/* A parameter in canonical encoding, "name=value", whatever it came as. */
static char *canonical_parameter(Str pair)
{
	Str name, value;
	str_cut(pair, '=', &name, &value);
	autofree char *raw_name = str_dup(name), *raw_value = str_dup(value);
	autofree char *plain_name = url_unescape(raw_name, false);
	autofree char *plain_value = url_unescape(raw_value, false);
	autofree char *new_name = url_escape(plain_name ? plain_name : raw_name, false);
	autofree char *new_value = url_escape(plain_value ? plain_value : raw_value, false);
	return mem_printf("%s=%s", new_name, new_value);
}

/* By name, then value: '=' must sort before whatever may stand in a longer name. */
static int compare_parameters(const void *a, const void *b)
{
	Str name_a, name_b, value_a, value_b;
	str_cut(str_of(a), '=', &name_a, &value_a);
	str_cut(str_of(b), '=', &name_b, &value_b);
	size_t common = name_a.len < name_b.len ? name_a.len : name_b.len;
	int order = memcmp(name_a.ptr, name_b.ptr, common);
	if (!order && name_a.len != name_b.len)
		return name_a.len < name_b.len ? -1 : 1;
	return order ? order : strcmp(value_a.ptr, value_b.ptr);
}

static char *canonical_query(const char *query)
{
	autostrings Vec parameters = {0};
	Str rest = str_of(query), pair;
	while (str_next(&rest, '&', &pair))
		if (pair.len)
			vec_push(&parameters, canonical_parameter(pair));
	vec_sort(&parameters, compare_parameters);
	Buf out = {0};
	for (size_t i = 0; i < parameters.len; i++)
		buf_printf(&out, "%s%s", i ? "&" : "", (const char *)parameters.items[i]);
	return buf_steal(&out);
}

typedef struct {
	char *name; /* lower case */
	Buf value;  /* trimmed, runs of blanks made one */
} Header;

static void header_free(void *pointer)
{
	Header *header = pointer;
	free(header->name);
	buf_dispose(&header->value);
	free(header);
}

static void dispose_headers(Vec *headers)
{
	vec_dispose_with(headers, header_free);
}
#define autoheaders __attribute__((cleanup(dispose_headers)))

static int compare_headers(const void *a, const void *b)
{
	const Header *left = a, *right = b;
	return strcmp(left->name, right->name);
}

static void add_header(Vec *out, Str name, Str value)
{
	Header *header = mem_zalloc(1, sizeof(*header));
	header->name = str_dup(name);
	for (char *at = header->name; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	value = str_trim(value);
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] != ' ' || value.ptr[i + 1] != ' ')
			buf_putc(&header->value, value.ptr[i]);
	vec_push(out, header);
}

static void add_line(Vec *out, const char *line)
{
	Str name, value;
	str_cut(str_of(line), ':', &name, &value);
	add_header(out, str_trim(name), value);
}

/* What the client will send as Host: no default port. */
static char *host_of(const Url *url)
{
	bool is_default = !url->port || url->port == (cstr_eq(url->scheme, "https") ? 443 : 80);
	const char *format = strchr(url->host, ':') ? "[%s]" : "%s";
	autobuf Buf host = {0};
	buf_puts(&host, *format == '[' ? "[" : "");
	buf_puts(&host, url->host);
	buf_puts(&host, *format == '[' ? "]" : "");
	return is_default ? buf_steal(&host) : mem_printf("%s:%d", buf_text(&host), url->port);
}

/* "name:value\n" lines into *lines, "a;b" into *names. Lines of one name are joined by commas. */
static void fold_headers(Vec *headers, Buf *lines, Buf *names)
{
	vec_sort(headers, compare_headers);
	const char *before = NULL;
	for (size_t i = 0; i < headers->len; i++) {
		const Header *header = headers->items[i];
		bool again = cstr_eq(before, header->name);
		if (again)
			lines->ptr[lines->len - 1] = ',';
		else
			buf_printf(lines, "%s:", header->name);
		if (!again)
			buf_printf(names, "%s%s", before ? ";" : "", header->name);
		buf_add(lines, buf_str(&header->value));
		buf_putc(lines, '\n');
		before = header->name;
	}
}

/* What a signature is made of, step by step. */
typedef struct {
	const SigV4Request *request;
	Url url;
	char stamp[STAMP_SIZE];
	char *scope; /* date/region/service/aws4_request */
	char payload[DIGEST_TEXT_SIZE];
	Vec headers;
	Buf lines, names; /* folded headers */
} Signing;

static void signing_dispose(Signing *signing)
{
	url_dispose(&signing->url);
	free(signing->scope);
	dispose_headers(&signing->headers);
	buf_dispose(&signing->lines);
	buf_dispose(&signing->names);
}
#define autosigning __attribute__((cleanup(signing_dispose)))

static bool signing_begin(Signing *signing, const SigV4Request *request, Error *err)
{
	signing->request = request;
	if (!url_parse(request->url, &signing->url, err))
		return false;
	stamp_of(request->now_ms, signing->stamp);
	signing->scope = mem_printf("%.8s/%s/%s/aws4_request", signing->stamp, request->region,
				    request->service);
	if (!request->payload_hash)
		digest_hex(DIGEST_SHA256, request->body ? request->body : "", request->body_len,
			   signing->payload);
	autofree char *host = host_of(&signing->url);
	add_header(&signing->headers, STR("host"), str_of(host));
	for (const char *const *line = request->headers; line && *line; line++)
		add_line(&signing->headers, *line);
	return true;
}

static const char *payload_of(const Signing *signing)
{
	return signing->request->payload_hash ? signing->request->payload_hash : signing->payload;
}

static void hmac(const void *key, size_t len, const char *text, unsigned char out[SHA256_BYTES])
{
	unsigned char full[DIGEST_MAX_BYTES];
	digest_hmac(DIGEST_SHA256, key, len, text, strlen(text), full);
	memcpy(out, full, SHA256_BYTES);
	mem_wipe(full, sizeof(full));
}

/* --- steps 2 to 4 --- */

static void sign_text(const Signing *signing, const char *text, char out[SHA256_HEX])
{
	const SigV4Request *request = signing->request;
	autofree char *first = mem_printf("AWS4%s", request->credential->secret);
	autofree char *date = mem_strndup(signing->stamp, 8);
	const char *const parts[] = {date, request->region, request->service, "aws4_request", text};
	unsigned char key[SHA256_BYTES], next[SHA256_BYTES];
	hmac(first, strlen(first), parts[0], key);
	for (size_t i = 1; i < COUNT(parts); i++) {
		hmac(key, sizeof(key), parts[i], next);
		memcpy(key, next, sizeof(key));
	}
	hex_encode(key, sizeof(key), out);
	mem_wipe(first, strlen(first));
	mem_wipe(key, sizeof(key));
	mem_wipe(next, sizeof(next));
}

static void sign_canonical(const Signing *signing, const char *stamp, Str canonical,
			   char out[SHA256_HEX])
{
	char hash[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, canonical.ptr, canonical.len, hash);
	autofree char *text = mem_printf("%s\n%s\n%s\n%s", ALGORITHM, stamp, signing->scope, hash);
	sign_text(signing, text, out);
}

static void signature(const Signing *signing, const char *query, char out[SHA256_HEX])
{
	const SigV4Request *request = signing->request;
	autofree char *sorted = canonical_query(query);
	autobuf Buf text = {0};
	buf_printf(&text, "%s\n", request->method);
	add_path(request, &signing->url, &text);
	buf_printf(&text, "\n%s\n%s\n%s\n%s", sorted, buf_text(&signing->lines),
		   buf_text(&signing->names), payload_of(signing));
	sign_canonical(signing, signing->stamp, buf_str(&text), out);
}

/* A line to be sent, which is signed too. */
static void push_header(Signing *signing, Vec *out, char *take_line)
{
	add_line(&signing->headers, take_line);
	vec_push(out, take_line);
}

bool sigv4_sign(const SigV4Request *request, Vec *out, Error *err)
{
	autosigning Signing signing = {0};
	if (!signing_begin(&signing, request, err))
		return false;
	const Credential *credential = request->credential;
	push_header(&signing, out, mem_printf("X-Amz-Date: %s", signing.stamp));
	if (credential->session)
		push_header(&signing, out,
			    mem_printf("X-Amz-Security-Token: %s", credential->session));
	if (cstr_eq(request->service, "s3"))
		push_header(&signing, out,
			    mem_printf("X-Amz-Content-Sha256: %s", payload_of(&signing)));
	fold_headers(&signing.headers, &signing.lines, &signing.names);
	char hex[SHA256_HEX];
	signature(&signing, signing.url.query, hex);
	vec_push(out, mem_printf("Authorization: %s Credential=%s/%s, SignedHeaders=%s, "
				 "Signature=%s",
				 ALGORITHM, credential->user, signing.scope,
				 buf_text(&signing.names), hex));
	return true;
}

void sigv4_headers_dispose(Vec *headers)
{
	for (size_t i = 0; i < headers->len; i++)
		mem_wipe(headers->items[i], strlen(headers->items[i]));
	vec_dispose_strings(headers);
}

char *sigv4_presign(const SigV4Request *request, int expires_s, Error *err)
{
	autosigning Signing signing = {0};
	if (!signing_begin(&signing, request, err))
		return NULL;
	fold_headers(&signing.headers, &signing.lines, &signing.names);
	autobuf Buf query = {0};
	autofree char *who = mem_printf("%s/%s", request->credential->user, signing.scope);
	autofree char *seconds = mem_printf("%d", expires_s);
	buf_puts(&query, signing.url.query ? signing.url.query : "");
	cloud_form_add(&query, "X-Amz-Algorithm", ALGORITHM);
	cloud_form_add(&query, "X-Amz-Credential", who);
	cloud_form_add(&query, "X-Amz-Date", signing.stamp);
	cloud_form_add(&query, "X-Amz-Expires", seconds);
	if (request->credential->session)
		cloud_form_add(&query, "X-Amz-Security-Token", request->credential->session);
	cloud_form_add(&query, "X-Amz-SignedHeaders", buf_text(&signing.names));
	char hex[SHA256_HEX];
	signature(&signing, buf_text(&query), hex);
	cloud_form_add(&query, "X-Amz-Signature", hex);
	const char *mark = strchr(request->url, '?');
	size_t len = mark ? (size_t)(mark - request->url) : strlen(request->url);
	return mem_printf("%.*s?%s", (int)len, request->url, buf_text(&query));
}

/* As git-remote-codecommit does: only host and path are signed, the payload line is empty and the
 * time has no "Z". */
char *sigv4_codecommit_password(const Credential *credential, const char *region, const char *url,
				int64_t now_ms, Error *err)
{
	autosigning Signing signing = {0};
	const SigV4Request request = {.credential = credential,
				      .region = region,
				      .service = "codecommit",
				      .now_ms = now_ms,
				      .method = "GIT",
				      .url = url,
				      .payload_hash = ""};
	if (!signing_begin(&signing, &request, err))
		return NULL;
	fold_headers(&signing.headers, &signing.lines, &signing.names);
	autobuf Buf text = {0};
	buf_printf(&text, "GIT\n%s\n\n%s\n%s\n", signing.url.path, buf_text(&signing.lines),
		   buf_text(&signing.names));
	autofree char *stamp = mem_strndup(signing.stamp, STAMP_SIZE - 2);
	char hex[SHA256_HEX];
	sign_canonical(&signing, stamp, buf_str(&text), hex);
	return mem_printf("%sZ%s", stamp, hex);
}
