/* The ustar header (POSIX.1-2017, pax, "ustar Interchange Format"), for the writer and the reader.
 */
#ifndef ARCHIVE_TAR_INTERNAL_H
#define ARCHIVE_TAR_INTERNAL_H

enum { TAR_RECORD = 512 };

typedef struct {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char dev_major[8];
	char dev_minor[8];
	char prefix[155];
	char unused[12];
} TarHeader;

_Static_assert(sizeof(TarHeader) == TAR_RECORD, "a header is one record");

#endif
