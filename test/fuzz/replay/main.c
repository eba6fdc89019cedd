/*
 * Runs a fuzz target over inputs that are kept: the files named on the command line, and those in
 * the directories named there. So each build proves again what fuzzing once found. Prints
 * "N inputs"; it is a failure if there is none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
die(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(1);
}

/* The buffer is just as long as the input, so that a sanitizer sees one byte too many. */
static size_t
replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size == 0 ? 1 : size);

	if (file == NULL || data == NULL || fread(data, 1, size, file) != size)
		die(path);
	fclose(file);
	fprintf(stderr, "%s\n", path); /* the last one is the culprit */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static size_t replay(const char *path);

static size_t
replay_directory(const char *path)
{
	char name[4096];
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	size_t count = 0;

	if (n < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
			count += replay(name);
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}

static size_t
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		die(path);
	return S_ISDIR(st.st_mode) ? replay_directory(path) : replay_file(path, (size_t)st.st_size);
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	printf("%zu inputs\n", count);
	return count > 0 ? 0 : 1;
}
