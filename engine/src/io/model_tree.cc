#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/crash_model.h"

namespace asl::io {
namespace {

// Deeper than any store; what a rename under a lost parent may build has no other end.
constexpr int kDepthMax = 64;

}  // namespace

ModelTree::ModelTree() {
  add_directory();
}

NodeId ModelTree::add_file(SparseBytes content) {
  nodes_.push_back({.is_directory = false, .content = std::move(content), .names = {}});
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId ModelTree::add_directory() {
  nodes_.push_back({.is_directory = true, .content = {}, .names = {}});
  return static_cast<NodeId>(nodes_.size() - 1);
}

void ModelTree::set_entry(NodeId directory, const std::string& name, NodeId node) {
  nodes_[directory].names[name] = node;
}

void ModelTree::remove_entry(NodeId directory, const std::string& name) {
  nodes_[directory].names.erase(name);
}

std::optional<NodeId> ModelTree::entry(NodeId directory, const std::string& name) const {
  const auto& names = nodes_[directory].names;
  const auto found = names.find(name);
  if (found == names.end()) return std::nullopt;
  return found->second;
}

std::optional<NodeId> ModelTree::find(std::string_view path) const {
  NodeId node = kRootNode;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const auto next = entry(node, std::string(path.substr(0, slash)));
    if (!next) return std::nullopt;
    node = *next;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return node;
}

Result<void> ModelTree::write_to(Io& io, const std::string& path) const {
  struct Pending {
    NodeId node;
    std::string path;
    int depth;
  };
  std::vector<Pending> pending = {{kRootNode, path, 0}};
  std::map<NodeId, std::string> written;  // files that have a name already
  while (!pending.empty()) {
    const Pending here = std::move(pending.back());
    pending.pop_back();
    if (here.depth > kDepthMax)
      return fail(system_error(ELOOP, "modelled directories are too deep", here.path));
    ASL_TRY(io.make_directory(here.path));
    for (const auto& [name, child] : nodes_[here.node].names) {
      const std::string child_path = here.path + "/" + name;
      if (is_directory(child)) {
        pending.push_back({child, child_path, here.depth + 1});
      } else if (const auto [first, is_new] = written.emplace(child, child_path); is_new) {
        ASL_TRY(write_file(io, child, child_path));
      } else {
        ASL_TRY(io.link(first->second, child_path));
      }
    }
  }
  return {};
}

Result<void> ModelTree::write_file(Io& io, NodeId node, const std::string& path) const {
  const SparseBytes& bytes = content(node);
  ASL_ASSIGN(const File file, io.open(path, {.create_new = true}));
  for (const auto& [index, page] : bytes.pages()) {
    const std::uint64_t offset = index * kPageSize;
    ASL_TRY(io.write(file, ByteSpan(*page).first(std::min<std::uint64_t>(kPageSize, bytes.size() - offset)),
                     offset));
  }
  return io.truncate(file, bytes.size());
}

}  // namespace asl::io
