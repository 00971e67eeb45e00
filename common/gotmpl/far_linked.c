#include "gotmpl/functions.h"

const GoFarFunctions *functions_far(Error *err)
{
	(void)err;
	return &functions_linked;
}
