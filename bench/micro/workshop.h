// What several benchmarks need: a directory, a store in it, and data.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/domain.h>
#include <asl/engine/host_root.h>
#include <asl/engine/store_writer.h>

namespace asl::bench {

// A failure ends the program: a benchmark of something else would follow.
template <typename T>
T value_of(Result<T> result) {
  if (!result) {
    std::cerr << result.error().to_string() << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline Bytes random_bytes(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  Bytes bytes(round_up(size, 8));
  for (std::size_t at = 0; at < bytes.size(); at += 8) store_le<std::uint64_t>(bytes.data() + at, random());
  bytes.resize(size);
  return bytes;
}

inline Digest random_digest(std::mt19937_64& random) {
  Digest digest;
  for (std::size_t at = 0; at < digest.size(); at += 8) store_le<std::uint64_t>(digest.data() + at, random());
  return digest;
}

// Under $TMPDIR, on a disk or in memory as that is; gone at the end.
class Directory {
 public:
  Directory() {
    std::string name = std::filesystem::temp_directory_path() / "asl-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::exit(1);
    path_ = name;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Store {
  Directory directory;
  std::unique_ptr<io::Io> io = io::make_default_io();
  std::string root = directory / "root";
  std::unique_ptr<Domain> domain;

  Store() {
    HostRoot host = value_of(HostRoot::init(*io, root));
    domain = value_of(Domain::open(*io, value_of(host.create_local_domain("bench")).directory, {}));
  }
};

}  // namespace asl::bench
