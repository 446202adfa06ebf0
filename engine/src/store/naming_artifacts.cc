#include "store/naming_artifacts.h"

#include <utility>
#include <variant>

#include <asl/engine/partial.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/tree.h>

#include "store/domain_impl.h"

namespace asl {
namespace {

std::uint64_t size_max_of(std::uint32_t tag) {
  if (tag == kTagTree) return kFanOutSizeMax;
  return tag == kTagPartial ? kPartialSizeMax : kSnapshotSizeMax;
}

Result<void> visit_entry(const Entry& entry, const VisitNamed& visit) {
  if (entry.type == EntryType::kFile || entry.type == EntryType::kDirectory)
    ASL_TRY(visit(entry.content, Named::kRequired));
  for (const Xattr& xattr : entry.xattrs) {
    if (xattr.ref != Reference{}) ASL_TRY(visit(xattr.ref, Named::kRequired));
  }
  return {};
}

Result<void> visit_tree(ByteSpan bytes, const VisitNamed& visit) {
  ASL_ASSIGN(const TreeNode node, decode_tree(bytes));
  if (const auto* fan_out = std::get_if<TreeFanOut>(&node)) {
    for (const FanOutItem& leaf : fan_out->leaves) ASL_TRY(visit(leaf.ref, Named::kRequired));
    return {};
  }
  for (const Entry& entry : std::get<TreeLeaf>(node).entries) ASL_TRY(visit_entry(entry, visit));
  return {};
}

Result<void> visit_snapshot(ByteSpan bytes, const VisitNamed& visit) {
  ASL_ASSIGN(const Snapshot snapshot, decode_snapshot(bytes));
  for (const SnapshotRoot& source : snapshot.roots) ASL_TRY(visit_entry(source.entry, visit));
  if (snapshot.errors != Reference{}) ASL_TRY(visit(snapshot.errors, Named::kRequired));
  if (snapshot.claim != Reference{}) ASL_TRY(visit(snapshot.claim, Named::kRequired));
  if (snapshot.origin) ASL_TRY(visit(snapshot.origin->ref, Named::kIfThere));
  return {};
}

}  // namespace

bool names_others(std::optional<std::uint32_t> tag) {
  return tag == kTagTree || tag == kTagSnapshot || tag == kTagPartial;
}

Result<Bytes> read_naming_artifact(const Domain& domain, const std::shared_ptr<const View>& view,
                                   const ArtifactHandle& handle) {
  const std::uint32_t tag = *handle.type_tag();
  if (handle.length() > size_max_of(tag))
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "too long for its type",
                      .object = to_text(handle.reference())});
  const Artifact artifact(std::make_shared<const Artifact::Impl>(
      Artifact::Impl{.domain = &domain, .view = view, .handle = handle}));
  Bytes bytes(artifact.length());
  ASL_ASSIGN(const std::size_t got, artifact.read(0, bytes));
  if (got != bytes.size() || typed_reference(tag, bytes) != handle.reference())
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "the bytes are not what their reference says",
                      .object = to_text(handle.reference())});
  return bytes;
}

Result<void> visit_named(std::uint32_t tag, ByteSpan bytes, const VisitNamed& visit) {
  if (tag == kTagTree) return visit_tree(bytes, visit);
  if (tag == kTagSnapshot) return visit_snapshot(bytes, visit);
  ASL_ASSIGN(const Partial partial, decode_partial(bytes));
  for (const PartialPiece& piece : partial.pieces) ASL_TRY(visit(piece.ref, Named::kRequired));
  return {};
}

}  // namespace asl
