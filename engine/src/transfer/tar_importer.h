// One import: reads members into the store, sorts them, makes trees of them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <asl/engine/store_writer.h>
#include <asl/engine/tar.h>

#include "transfer/external_sorter.h"
#include "transfer/import_problems.h"
#include "transfer/owner_names.h"
#include "transfer/tar_reader.h"

namespace asl {

class TarImporter {
 public:
  TarImporter(StoreWriter& writer, io::Io& io, std::string spill_directory, ProgressCounters& progress,
              const StopToken& stop);

  // Reads the archive to its end; contents go into the store. Errors: TarReader's and StoreWriter's.
  Result<void> read(TarReader& reader);
  // The root directory's entry; trees go into the store. Counts go into `report`.
  Result<Entry> make_trees(TarImportReport& report);

  const ImportProblems& problems() const { return problems_; }
  const OwnerNames& users() const { return users_; }
  const OwnerNames& groups() const { return groups_; }
  // A leading '/' was taken off some name.
  bool stripped() const { return stripped_; }

 private:
  Result<void> add_member(TarReader& reader, const TarInput& member);
  // A path in tree form ("a/b"), or nothing with a problem noted.
  std::optional<std::string> clean_path(const std::string& name, const std::string& shown);
  Result<bool> fill_entry(TarReader& reader, const TarInput& member, const std::string& path, Entry& entry);
  Result<void> fill_content(TarReader& reader, const TarInput& member, Entry& entry);
  Result<void> fill_attributes(const TarInput& member, const std::string& path, Entry& entry);
  void add_acl(Entry& entry, std::string_view name, const std::string& text, const std::string& path);
  void set_owner(const TarInput& member, const std::string& path, Entry& entry);
  void lose_metadata(Entry& entry, const std::string& path, std::string what);

  StoreWriter& writer_;
  io::Io& io_;
  const std::string spill_directory_;
  ProgressCounters& progress_;
  const StopToken stop_;
  std::unique_ptr<Lane> lane_;
  ExternalSorter members_;  // version keys -> members
  ImportProblems problems_;
  OwnerNames users_;
  OwnerNames groups_;
  Bytes buffer_;
  std::uint64_t number_ = 0;
  bool stripped_ = false;
};

}  // namespace asl
