/* gpgv as a child that reads memory files by descriptor. */
#include "sign/gpgv.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fd.h"

/* What the child finds its files as. */
enum { KEYRING, SIGNATURE, PAYLOAD, FILE_COUNT };
enum { LIMIT_MS = 20 * 1000, MAX_STATUS_BYTES = 1 << 20 };

static int memory_file(Str bytes, Error *err)
{
	autofd int fd = memfd_create("gpgv", MFD_CLOEXEC);
	if (fd < 0) {
		err_errno(err, "memory file");
		return -1;
	}
	if (bytes.len && !fd_write_all(fd, bytes.ptr, bytes.len, err))
		return -1;
	return fd_steal(&fd);
}

bool gpgv_run(Str keyring, Str signature, Str payload, Buf *out, Error *err)
{
	static const char *const argv[] = {
		"gpgv",	     "--homedir",	"/nonexistent",	   "--status-fd",     "1",
		"--keyring", "/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/fd/5", NULL,
	};
	static const char *const env[] = {"PATH=/usr/bin:/bin:/usr/local/bin", "LC_ALL=C", NULL};
	const Str contents[FILE_COUNT] = {
		[KEYRING] = keyring, [SIGNATURE] = signature, [PAYLOAD] = payload};
	int files[FILE_COUNT], count = 0, code;
	bool ok = true;
	while (ok && count < FILE_COUNT) {
		files[count] = memory_file(contents[count], err);
		ok = files[count++] >= 0;
	}
	/* Its exit code says less than its status lines do. */
	ok = ok && child_run(&(ChildSpec){.argv = argv,
					  .env = env,
					  .fds = files,
					  .fd_count = FILE_COUNT,
					  .timeout_ms = LIMIT_MS,
					  .max_output = MAX_STATUS_BYTES},
			     out, NULL, &code, err);
	for (int i = 0; i < count; i++)
		auto_close(&files[i]);
	if (!ok && err->code == ERR_NOT_FOUND) {
		err->code = ERR_UNAVAILABLE;
		err_wrap(err, "OpenPGP signatures need gpgv");
	}
	return ok;
}
