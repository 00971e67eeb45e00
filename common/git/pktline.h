/*
 * Git's framing (gitprotocol-common): four hex digits of length, which count themselves, then the
 * bytes. 0000 is a flush, 0001 a delimiter, 0002 the end of a reply; 0003 and lengths above 65520
 * are no packets.
 */
#ifndef GIT_PKTLINE_H
#define GIT_PKTLINE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { PKT_MAX = 65520, PKT_HEAD = 4 };

typedef enum { PKT_DATA, PKT_FLUSH, PKT_DELIM, PKT_END } PktKind;

typedef struct {
	PktKind kind;
	Str data; /* PKT_DATA only; with the line feed, if one was sent */
} Pkt;

/* Reads the packet in front of `bytes`, borrowed from them. *out_used is 0 when more bytes are
 * needed. ERR_INVALID for what can never become a packet. */
bool pkt_parse(Str bytes, Pkt *out, size_t *out_used, Error *err) MUST_USE;

/* A data packet's text without its line feed. */
Str pkt_line(const Pkt *pkt);

/* Appends a packet. The text must be shorter than PKT_MAX - PKT_HEAD. */
void pkt_put(Buf *out, const char *format, ...) PRINTF(2, 3);
void pkt_put_flush(Buf *out);
void pkt_put_delim(Buf *out);

#endif
