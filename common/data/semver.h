/* Semantic versions and constraints, as Masterminds/semver v3 reads them (what Flux and Helm use).
 */
#ifndef DATA_SEMVER_H
#define DATA_SEMVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct {
	uint64_t major, minor, patch;
	char *pre;   /* "" when none; owned */
	char *build; /* "" when none; owned */
} Semver;

void semver_dispose(Semver *version);
#define autosemver __attribute__((cleanup(semver_dispose)))

/* Loose: optional "v", one to three parts ("1", "1.2"), leading zeros allowed; at most 256 bytes.
 */
bool semver_parse(const char *text, Semver *out);

/* As semver_parse, of any length. */
bool semver_parse_long(const char *text, Semver *out);

/* Three parts needed, otherwise as semver_parse: tags of sources (S22, source.md 3). */
bool semver_parse_tag(const char *text, Semver *out);

/* SemVer 2.0 precedence: <0, 0, >0; build metadata does not count. */
int semver_compare(const Semver *a, const Semver *b);

typedef struct SemverRange SemverRange;

/* Operators = != > < >= <= => =< ~ ~> ^, wildcards x X *, hyphen ranges, AND by comma or blank, OR
 * by ||; at most 512 bytes and 32 groups. ERR_INVALID. */
SemverRange *semver_range_new(const char *text, Error *err) MUST_USE;
void semver_range_free(SemverRange *range);
AUTO_POINTER(SemverRange, semver_range_free, auto_semver_range);
#define autosemverrange __attribute__((cleanup(auto_semver_range)))

/* A prerelease matches only a comparator that has a prerelease itself. */
bool semver_range_matches(const SemverRange *range, const Semver *version);

#endif
