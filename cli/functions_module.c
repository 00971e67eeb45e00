/* sluice-functions.so: the far functions of templates with the libraries that they need. */
#include "gotmpl/functions.h"

__attribute__((visibility("default"))) const GoFarFunctions *sluice_functions(void);

const GoFarFunctions *sluice_functions(void)
{
	return &functions_linked;
}
