/* What tokens.c takes from the two readers, tokens_json.c and tokens_yaml.c. */
#ifndef DATA_TOKENS_INTERNAL_H
#define DATA_TOKENS_INTERNAL_H

#include "data/tokens.h"

/* fd stands at its start. */
bool tokens_read_json(int fd, TokenSink *sink, void *arg, Error *err) MUST_USE;
bool tokens_read_yaml(int fd, TokenSink *sink, void *arg, Error *err) MUST_USE;

#endif
