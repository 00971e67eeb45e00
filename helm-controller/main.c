#include "controller.h"

int main(int argc, char **argv)
{
	return manager_main(argc, argv, &helm_controller);
}
