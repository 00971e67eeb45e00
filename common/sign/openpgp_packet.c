/* Walks OpenPGP packets by their headers: old and new format, definite lengths only. */
#include "sign/openpgp.h"

enum { MAX_PACKETS = 100 * 1000 };

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;
	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* New format (RFC 9580 4.2.1): one, two or five bytes of length; partial ones are for data. */
static bool new_length(const unsigned char *at, size_t len, size_t *used, uint64_t *out)
{
	if (len < 1 || (at[0] >= 224 && at[0] < 255))
		return false;
	*used = at[0] < 192 ? 1 : at[0] < 224 ? 2 : 5;
	if (len < *used)
		return false;
	if (*used == 1)
		*out = at[0];
	else if (*used == 2)
		*out = ((uint64_t)(at[0] - 192) << 8) + at[1] + 192;
	else
		*out = big_endian(at + 1, 4);
	return true;
}

/* Old format (4.2.2): the low bits of the tag say how many bytes; 3 is "to the end". */
static bool old_length(unsigned char tag, const unsigned char *at, size_t len, size_t *used,
		       uint64_t *out)
{
	unsigned type = tag & 3;
	*used = (size_t)1 << type;
	if (type == 3 || len < *used)
		return false;
	*out = big_endian(at, *used);
	return true;
}

/* Takes one packet off *rest. */
static bool take_packet(Str *rest, unsigned *out_tag)
{
	const unsigned char *at = (const unsigned char *)rest->ptr;
	size_t used = 0;
	uint64_t len = 0;
	bool is_new = (at[0] & 0x40) != 0;
	if (!(at[0] & 0x80))
		return false;
	*out_tag = is_new ? at[0] & 0x3fU : (at[0] >> 2) & 0x0fU;
	bool ok = is_new ? new_length(at + 1, rest->len - 1, &used, &len)
			 : old_length(at[0], at + 1, rest->len - 1, &used, &len);
	if (!ok || len > rest->len - 1 - used)
		return false;
	*rest = str_slice(*rest, 1 + used + (size_t)len, rest->len);
	return true;
}

bool openpgp_check_packets(Str bytes, uint64_t tags, Error *err)
{
	size_t count = 0;
	while (bytes.len) {
		unsigned tag = 0;
		if (!take_packet(&bytes, &tag))
			return err_set(err, ERR_INVALID, "bad OpenPGP packet");
		if (!(tags >> tag & 1))
			return err_set(err, ERR_INVALID, "OpenPGP packet of type %u in this place",
				       tag);
		if (++count > MAX_PACKETS)
			return err_set(err, ERR_LIMIT, "more than %d OpenPGP packets", MAX_PACKETS);
	}
	return count || err_set(err, ERR_INVALID, "no OpenPGP packet");
}
