// SPDX-License-Identifier: GPL-2.0
/*
 * A device tree writer: see fdt.h.
 */
#include <arpa/inet.h>
#include <stdarg.h>

#include "fdt.h"
#include "test_util.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, END = 9 };

#define MAGIC		0xd00dfeed
#define VERSION		17
#define COMP_VERSION	16
#define HEADER_SIZE	40
#define RSVMAP_SIZE	16	/* one empty entry */

static void put(struct fdt *fdt, const void *data, size_t len)
{
	size_t padded = (len + 3) & ~3UL;

	TEST_ASSERT(fdt->struct_len + padded <= FDT_MAX_STRUCT, "device tree too big");
	memset(fdt->structs + fdt->struct_len, 0, padded);
	if (len)
		memcpy(fdt->structs + fdt->struct_len, data, len);
	fdt->struct_len += padded;
}

static void put32(struct fdt *fdt, uint32_t val)
{
	val = htonl(val);
	put(fdt, &val, sizeof(val));
}

/* Offset of a property's name, shared by all properties of that name. */
static uint32_t string_offset(struct fdt *fdt, const char *name)
{
	size_t off, len = strlen(name) + 1;

	for (off = 0; off < fdt->strings_len; off += strlen(fdt->strings + off) + 1)
		if (!strcmp(fdt->strings + off, name))
			return off;
	TEST_ASSERT(off + len <= FDT_MAX_STRINGS, "too many property names");
	memcpy(fdt->strings + off, name, len);
	fdt->strings_len += len;
	return off;
}

void fdt_begin_node(struct fdt *fdt, const char *name)
{
	put32(fdt, BEGIN_NODE);
	put(fdt, name, strlen(name) + 1);
}

void fdt_end_node(struct fdt *fdt)
{
	put32(fdt, END_NODE);
}

void fdt_prop(struct fdt *fdt, const char *name, const void *val, size_t len)
{
	put32(fdt, PROP);
	put32(fdt, len);
	put32(fdt, string_offset(fdt, name));
	put(fdt, val, len);
}

void fdt_prop_str(struct fdt *fdt, const char *name, const char *val)
{
	fdt_prop(fdt, name, val, strlen(val) + 1);
}

void fdt_prop_u32(struct fdt *fdt, const char *name, uint32_t val)
{
	fdt_prop_cells(fdt, name, 1, val);
}

void fdt_prop_cells(struct fdt *fdt, const char *name, size_t count, ...)
{
	uint32_t cells[16];
	va_list ap;
	size_t i;

	TEST_ASSERT(count <= ARRAY_SIZE(cells), "%zu cells", count);
	va_start(ap, count);
	for (i = 0; i < count; i++)
		cells[i] = htonl(va_arg(ap, uint32_t));
	va_end(ap);
	fdt_prop(fdt, name, cells, count * sizeof(cells[0]));
}

size_t fdt_finish(struct fdt *fdt, void *buf, size_t size)
{
	uint32_t off_struct = HEADER_SIZE + RSVMAP_SIZE;
	uint32_t off_strings, total, header[HEADER_SIZE / 4];
	unsigned int i;

	put32(fdt, END);
	off_strings = off_struct + fdt->struct_len;
	total = off_strings + fdt->strings_len;
	TEST_ASSERT(total <= size, "device tree of %u bytes", total);
	memcpy(header, (uint32_t [HEADER_SIZE / 4]) {
		MAGIC, total, off_struct, off_strings, HEADER_SIZE,
		VERSION, COMP_VERSION, 0, fdt->strings_len, fdt->struct_len,
	}, sizeof(header));
	for (i = 0; i < ARRAY_SIZE(header); i++)
		header[i] = htonl(header[i]);
	memset(buf, 0, total);
	memcpy(buf, header, sizeof(header));
	memcpy((char *)buf + off_struct, fdt->structs, fdt->struct_len);
	memcpy((char *)buf + off_strings, fdt->strings, fdt->strings_len);
	return total;
}
