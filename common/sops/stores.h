/* Files to trees and trees to files, a pair of functions for each format. */
#ifndef SOPS_STORES_H
#define SOPS_STORES_H

#include "sops/sops.h"
#include "sops/tree.h"

/* Reads all documents. Errors quote nothing of the text. */
bool json_store_read(Str text, Tree *out, Error *err) MUST_USE;
bool yaml_store_read(Str text, Tree *out, Error *err) MUST_USE;
bool dotenv_store_read(Str text, Tree *out, Error *err) MUST_USE;
bool ini_store_read(Str text, Tree *out, Error *err) MUST_USE;

/* Writes as the real sops does, byte for byte. */
bool json_store_write(const Tree *tree, Buf *out, Error *err) MUST_USE;
bool binary_store_write(const Tree *tree, Buf *out, Error *err) MUST_USE;
bool yaml_store_write(const Tree *tree, Buf *out, Error *err) MUST_USE;
bool dotenv_store_write(const Tree *tree, Buf *out, Error *err) MUST_USE;
bool ini_store_write(const Tree *tree, Buf *out, Error *err) MUST_USE;

/* Without Unicode's white space at both ends, as Go trims it. */
Str trim_space(Str text);

/* A leaf as dotenv and INI write it: floats never look like integers. */
void leaf_text(const Node *leaf, Buf *out);

#endif
