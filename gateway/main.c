/* Where the program starts: all that it does is a command's. */
#include <sodium.h>
#include <stdio.h>

#include "gateway/command.h"
#include "gateway/process.h"

int
main(int argc, char **argv)
{
	process_guard();
	process_name_bus_errors();
	if (sodium_init() < 0) {
		fprintf(stderr, "tocsin: libsodium cannot be initialised\n");
		return 1;
	}
	return command_main(argc, argv);
}
