// Listing directories to the kernel.
#pragma once

#include "operations.h"

namespace asl::fusefs {

fuse_entry_param entry_of(const NodeAnswer& answer);

void open_directory(fuse_req_t request, fuse_ino_t node, fuse_file_info* info);
void read_directory(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                    fuse_file_info* info);
void read_directory_plus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                         fuse_file_info* info);
void close_directory(fuse_req_t request, fuse_ino_t node, fuse_file_info* info);

}  // namespace asl::fusefs
