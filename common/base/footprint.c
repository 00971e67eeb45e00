#include "base/footprint.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"

/* Whether the linker wrote into read-only segments: then their pages are no copies of the file. */
static bool has_text_relocations(const struct dl_phdr_info *object)
{
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &object->dlpi_phdr[i];
		if (header->p_type != PT_DYNAMIC)
			continue;
		const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + header->p_vaddr);
		for (; entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_TEXTREL ||
			    (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
				return true;
	}
	return false;
}

/* A segment that was ever writable (data, relocated constants) is none of these. */
static void drop_segment(const struct dl_phdr_info *object, const ElfW(Phdr) * header,
			 uintptr_t page)
{
	uintptr_t from = (object->dlpi_addr + header->p_vaddr) & ~(page - 1);
	uintptr_t to = object->dlpi_addr + header->p_vaddr + header->p_filesz;
	union {
		uintptr_t address;
		void *pointer;
	} start = {.address = from};
	/* Failure costs memory, nothing else. */
	(void)madvise(start.pointer, to - from, MADV_DONTNEED);
}

static int drop_object(struct dl_phdr_info *object, size_t size, void *arg)
{
	(void)size;
	const uintptr_t *page = arg;
	bool is_of_kernel = cstr_starts(object->dlpi_name, "linux-");
	if (is_of_kernel || has_text_relocations(object))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &object->dlpi_phdr[i];
		if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
			drop_segment(object, header, *page);
	}
	return 0;
}

void footprint_shrink(void)
{
	malloc_trim(0);
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	dl_iterate_phdr(drop_object, &page);
}
