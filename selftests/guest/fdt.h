/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a flattened device tree (Devicetree Specification v0.4, chapter 5)
 * front to back: begin, nodes and properties in order, end.
 */
#ifndef SELFTEST_FDT_H
#define SELFTEST_FDT_H

#include <stddef.h>
#include <stdint.h>

#define FDT_MAX_STRUCT	8192
#define FDT_MAX_STRINGS	2048

struct fdt {
	uint8_t structs[FDT_MAX_STRUCT];
	char strings[FDT_MAX_STRINGS];
	size_t struct_len, strings_len;
};

void fdt_begin_node(struct fdt *fdt, const char *name);
void fdt_end_node(struct fdt *fdt);
void fdt_prop(struct fdt *fdt, const char *name, const void *val, size_t len);
void fdt_prop_str(struct fdt *fdt, const char *name, const char *val);
void fdt_prop_u32(struct fdt *fdt, const char *name, uint32_t val);
/* A list of cells, ended by the count. */
void fdt_prop_cells(struct fdt *fdt, const char *name, size_t count, ...);
/* Copies the finished tree to buf and returns its size. */
size_t fdt_finish(struct fdt *fdt, void *buf, size_t size);

#endif
