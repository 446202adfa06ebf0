// A host root with one local domain, for tests that write to it and look at it from outside.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/host_root.h>
#include <asl/engine/progress.h>
#include <asl/engine/store_writer.h>
#include <asl/engine/verify.h>

#include "support.h"

namespace asl::test {

namespace fs = std::filesystem;

// Where syncing costs nothing, if there is such a place: these tests sync thousands of times, and what a sync
// is worth is tested with the recording Io, not with the disk.
inline std::string memory_directory() {
  constexpr std::uintmax_t kNeededBytes = 1ULL << 30;
  const std::string memory = "/dev/shm";
  std::error_code failed;
  const fs::space_info space = fs::space(memory, failed);
  const bool usable = !failed && space.available >= kNeededBytes && ::access(memory.c_str(), W_OK) == 0;
  return usable && std::getenv("TMPDIR") == nullptr ? memory : ::testing::TempDir();
}

inline std::unique_ptr<Domain> open_domain(io::Io& io, const std::string& directory) {
  return value_of(Domain::open(io, directory, DomainOptions{.read_cache_bytes = 4 << 20}));
}

// Small blocks, and nobody is waited for.
inline WriterOptions writer_options() {
  WriterOptions options;
  options.block_capacity = 16 << 20;
  options.lock_wait_ms = 0;
  return options;
}

// What a reader gets for `ref`: its bytes or the first error.
inline Result<Bytes> read_artifact(const Domain& domain, const Reference& ref) {
  ASL_ASSIGN(const Artifact artifact, domain.find(ref));
  Bytes bytes(artifact.length());
  ASL_ASSIGN(const std::size_t got, artifact.read(0, bytes));
  if (got != bytes.size()) return fail(ErrorCode::kIntegrity, "an artifact ended early");
  return bytes;
}

// One session: put all, commit, close. The references, in order.
inline Result<std::vector<Reference>> put_all(Domain& domain, const std::vector<Bytes>& contents) {
  ASL_ASSIGN(const auto writer, StoreWriter::open(domain, writer_options()));
  ASL_ASSIGN(const auto lane, writer->make_lane());
  std::vector<Reference> refs;
  for (const Bytes& bytes : contents) {
    ASL_ASSIGN(const WrittenArtifact written, lane->put(bytes));
    refs.push_back(written.reference);
  }
  ASL_TRY(writer->commit());
  return refs;
}

inline VerifyReport verify_all(const Domain& domain) {
  ProgressCounters progress;
  return value_of(verify(domain, {.data = true, .artifacts = true, .snapshot_id = {}}, progress, {}));
}

// Every regular file below `directory`, sorted.
inline std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::vector<std::string> files_ending(const std::string& directory, const std::string& ending) {
  std::vector<std::string> files;
  for (const std::string& file : files_below(directory)) {
    if (file.ends_with(ending)) files.push_back(file);
  }
  return files;
}

inline void flip_byte(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char old = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(old ^ 0x20));
  if (!file.flush()) throw std::runtime_error("cannot change " + path);
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : io_(io::make_default_io()) {
    HostRoot root = value_of(HostRoot::init(*io_, directory_ / "root"));
    summary_ = value_of(root.create_local_domain("local"));
    domain_ = open_domain(*io_, summary_.directory);
  }

  const std::string& at() const { return summary_.directory; }
  std::string in_store(const std::string& name) const { return at() + "/store/" + name; }
  Domain& domain() { return *domain_; }
  void reopen() { domain_ = open_domain(*io_, at()); }

  std::unique_ptr<StoreWriter> open_writer() {
    return value_of(StoreWriter::open(*domain_, writer_options()));
  }

  TempDirectory directory_{memory_directory()};
  std::unique_ptr<io::Io> io_;
  DomainSummary summary_;
  std::unique_ptr<Domain> domain_;
};

}  // namespace asl::test
