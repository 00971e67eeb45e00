/* An index of charts: rewritten, read again, looked up; no crash, and what is stored is an index.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "helm/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autofd int fd = memfd_create("index", MFD_CLOEXEC);
	autofd int spool = memfd_create("spool", MFD_CLOEXEC);
	autofd int out = memfd_create("out", MFD_CLOEXEC);
	autoerror Error err = {0};
	HelmIndexSummary summary;
	HelmIndexEntry entry;
	if (!fd_write_all(fd, bytes, size, &err) ||
	    !helm_index_convert(fd, spool, out, &summary, &err))
		return 0;
	autohelmindex HelmIndex *index = helm_index_load(out, &err);
	if (!index)
		abort();
	(void)!helm_index_find(index, "a", "^1", &entry, &err);
	return 0;
}
