/*
 * The far functions of templates, loaded: a chart that uses none of them does not wait for OpenSSL
 * to be linked, which takes a tenth of its time. Loading again what is loaded costs no system call
 * but those that find it.
 */
#include <dlfcn.h>

#include "base/mem.h"
#include "gotmpl/functions.h"
#include "program.h"

typedef const GoFarFunctions *(*FarFunctions)(void);

const GoFarFunctions *functions_far(Error *err)
{
	autoerror Error why = {0};
	autofree char *path = program_find("sluice-functions.so", "cli", &why);
	void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	union {
		void *symbol;
		FarFunctions functions;
	} found = {module ? dlsym(module, "sluice_functions") : NULL};
	if (found.symbol)
		return found.functions();
	/* Without a colon: of a parse error only what is behind the last one is shown. */
	return err_null(err, ERR_NOT_FOUND,
			"sluice-functions.so is missing or broken, looked beside sluice and in %s",
			SLUICE_LIBEXECDIR);
}
