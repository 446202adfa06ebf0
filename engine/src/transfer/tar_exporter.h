// One export: walks the trees and writes members.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include <asl/engine/tar.h>
#include <asl/engine/tree_walk.h>

#include "transfer/content_plan.h"
#include "transfer/export_links.h"
#include "transfer/pax_writer.h"

namespace asl {

class TarExporter {
 public:
  TarExporter(const Domain& domain, const Snapshot& snapshot, const TarExportOptions& options,
              const TarSink& sink, ProgressCounters& progress, const StopToken& stop);
  Result<TarExportReport> run();

 private:
  Result<WalkStep> visit(const std::string& path, const Entry& entry);
  Result<void> add_member(const std::string& path, const Entry& entry);
  Result<void> add_file(TarMember& member, const std::string& path, const Entry& entry);
  Result<void> add_whole_file(TarMember& member, const std::string& path, ContentPlan& plan);
  Result<void> add_long_file(const TarMember& member, ContentPlan& plan);
  Result<void> describe(TarMember& member, const std::string& path, const Entry& entry);
  Result<void> add_attributes(TarMember& member, const std::string& path, const Entry& entry);
  std::optional<std::pair<std::string, Bytes>> attribute_record(const Xattr& xattr, Bytes value) const;
  Result<void> begin(const TarMember& member);
  // False for errors that must end the export.
  bool leave_out(const std::string& path, const Error& error);
  void omit(TarOmission::Kind kind, const std::string& path, std::string reason);
  std::string shown(const std::string& path) const;

  const Domain& domain_;
  const Snapshot& snapshot_;
  const TarExportOptions& options_;
  ProgressCounters& progress_;
  const StopToken stop_;
  PaxWriter writer_;
  std::optional<ExportLinks> links_;
  std::unordered_map<std::uint32_t, std::string> users_;
  std::unordered_map<std::uint32_t, std::string> groups_;
  Bytes buffer_;
  std::uint64_t position_ = 0;
  // Hard-linked files that were left out: their further names have nothing to link to.
  std::set<std::string> missing_;
  std::string file_name_;  // what a file that is exported by itself is called
  TarExportReport report_;
};

}  // namespace asl
