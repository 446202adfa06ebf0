// The part of RecordingIo that keeps the log and knows which file is meant.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "io/recording_io.h"

namespace asl::io {
namespace {

constexpr std::size_t kReadSize = 1U << 20;  // of the base, at a time
// What a file linked or renamed into the root may hold: a block, with room to spare.
constexpr std::uint64_t kArrivalSizeMax = 2ULL << 30;

std::string normal(const std::string& path) {
  std::string text = std::filesystem::path(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

// Zero pages stay holes: a preallocated block costs no memory.
Result<SparseBytes> load_content(Io& io, const std::string& path) {
  ASL_ASSIGN(const File file, io.open(path, {}));
  SparseBytes content;
  Bytes buffer(kReadSize);
  for (std::uint64_t offset = 0;;) {
    ASL_ASSIGN(const std::size_t size, io.read(file, buffer, offset));
    for (std::size_t at = 0; at < size; at += kPageSize) {
      const ByteSpan page = ByteSpan(buffer).subspan(at, std::min(kPageSize, size - at));
      if (!all_zero(page)) content.write(offset + at, page);
    }
    offset += size;
    content.resize(offset);
    if (size < buffer.size()) return content;
  }
}

}  // namespace

Result<std::unique_ptr<RecordingIo>> RecordingIo::create(Io& inner, const std::string& root) {
  std::unique_ptr<RecordingIo> recorder(new RecordingIo(inner, normal(root)));
  ASL_TRY(recorder->load_base());
  recorder->live_ = recorder->base_;
  return recorder;
}

Result<void> RecordingIo::load_base() {
  std::unordered_map<std::uint64_t, NodeId> by_inode;
  std::vector<std::pair<std::string, NodeId>> pending = {{"", kRootNode}};
  while (!pending.empty()) {
    const auto [path, directory] = std::move(pending.back());
    pending.pop_back();
    ASL_TRY(load_directory(path, directory, by_inode, pending));
  }
  return {};
}

Result<void> RecordingIo::load_directory(const std::string& relative_path, NodeId directory,
                                         std::unordered_map<std::uint64_t, NodeId>& by_inode,
                                         std::vector<std::pair<std::string, NodeId>>& pending) {
  ASL_ASSIGN(const auto entries, inner_.list(root_ + relative_path));
  for (const ListedEntry& entry : entries) {
    const std::string path = relative_path + "/" + entry.name;
    ASL_ASSIGN(const struct stat status, inner_.status(root_ + path));
    if (S_ISDIR(status.st_mode)) {
      const NodeId node = base_.add_directory();
      base_.set_entry(directory, entry.name, node);
      pending.emplace_back(path, node);
    } else if (S_ISREG(status.st_mode)) {
      const auto known = by_inode.find(status.st_ino);
      NodeId node = kRootNode;
      if (known != by_inode.end()) {
        node = known->second;
      } else {
        ASL_ASSIGN(SparseBytes content, load_content(inner_, root_ + path));
        node = base_.add_file(std::move(content));
        by_inode.emplace(status.st_ino, node);
      }
      base_.set_entry(directory, entry.name, node);
    }
  }
  return {};
}

std::optional<std::string> RecordingIo::relative(const std::string& path) const {
  const std::string whole = normal(path);
  if (whole == root_) return "";
  if (!whole.starts_with(root_ + "/")) return std::nullopt;
  return whole.substr(root_.size() + 1);
}

std::optional<RecordingIo::Place> RecordingIo::place(const std::string& path) const {
  const auto name = relative(path);
  if (!name || name->empty()) return std::nullopt;
  const std::size_t slash = name->rfind('/');
  const auto directory =
      live_.find(slash == std::string::npos ? "" : std::string_view(*name).substr(0, slash));
  if (!directory || !live_.is_directory(*directory)) return std::nullopt;
  return Place{*directory, slash == std::string::npos ? *name : name->substr(slash + 1), *name};
}

std::optional<NodeId> RecordingIo::node_at(const Place& place) const {
  return live_.entry(place.directory, place.name);
}

File RecordingIo::keep_open(File file, std::optional<NodeId> node, const std::string& path) {
  const int fd = file.release();
  if (node) open_files_[fd] = {*node, path};
  return File(this, fd);
}

const RecordingIo::OpenFile* RecordingIo::find_open(const File& file) const {
  const auto found = open_files_.find(file.fd());
  return found == open_files_.end() ? nullptr : &found->second;
}

std::size_t RecordingIo::log(Operation operation) {
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void RecordingIo::log_create(const Place& place, OperationKind kind, Bytes content) {
  const NodeId node = kind == OperationKind::kMakeDirectory ? live_.add_directory() : live_.add_file({});
  live_.set_entry(place.directory, place.name, node);
  log({.kind = kind,
       .path = place.path,
       .node = node,
       .directory = place.directory,
       .name = place.name,
       .data = std::move(content)});
}

std::optional<std::size_t> RecordingIo::log_write(const File& file, ByteSpan from, std::uint64_t offset) {
  const OpenFile* const open = find_open(file);
  if (open == nullptr) return std::nullopt;
  return log({.kind = OperationKind::kWrite,
              .path = open->path,
              .node = open->node,
              .offset = offset,
              .length = from.size(),
              .data = Bytes(from.begin(), from.end()),
              .completed_at = Operation::kNever});
}

void RecordingIo::log_data(OperationKind kind, const File& file, std::uint64_t length) {
  if (const OpenFile* const open = find_open(file))
    log({.kind = kind, .path = open->path, .node = open->node, .length = length});
}

void RecordingIo::log_sync(OperationKind kind, NodeId node, const std::string& path, bool succeeded) {
  const bool is_directory = live_.is_directory(node);
  if (is_directory) kind = OperationKind::kSyncDirectory;
  if (!succeeded) kind = is_directory ? OperationKind::kSyncDirectoryFailed : OperationKind::kSyncFailed;
  log({.kind = kind, .path = path, .node = node});
}

void RecordingIo::log_removal(OperationKind kind, const std::string& path) {
  const auto where = place(path);
  const auto node = where ? node_at(*where) : std::nullopt;
  if (!node) return;
  live_.remove_entry(where->directory, where->name);
  log({.kind = kind, .path = where->path, .node = *node, .directory = where->directory, .name = where->name});
}

// A rename or link whose new name lies in the root.
Result<void> RecordingIo::log_arrival(const std::string& from, const std::string& to, OperationKind kind) {
  const Place target = *place(to);
  const auto source = place(from);
  const auto node = source ? node_at(*source) : std::nullopt;
  if (!node) {
    ASL_ASSIGN(Bytes content, read_file(inner_, to, kArrivalSizeMax));
    log_create(target, OperationKind::kCreate, std::move(content));
    return {};
  }
  live_.set_entry(target.directory, target.name, *node);
  if (kind == OperationKind::kRename) live_.remove_entry(source->directory, source->name);
  log({.kind = kind,
       .path = source->path,
       .to = target.path,
       .node = *node,
       .directory = source->directory,
       .name = source->name,
       .to_directory = target.directory,
       .to_name = target.name});
  return {};
}

}  // namespace asl::io
