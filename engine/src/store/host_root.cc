#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <sys/random.h>
#include <utility>

#include <asl/engine/host_root.h>
#include <asl/engine/log_record.h>
#include <asl/engine/log_state.h>

#include "log/log_reader.h"
#include "log/log_writer.h"
#include "store/domain_layout.h"

namespace asl {
namespace {

constexpr std::string_view kHostDirectories[] = {
    "host",
    "host/sessions",
    "host/trusted-roots",
    "domains",
    "env-claims",
    "sops-bundles",
    "tools",
    "federation",
    "federation/peers",
    "federation/exports",
    "federation/imports",
    "quarantine",
};
// A line of 41 bytes a domain; inode numbers have room for 2,048.
constexpr std::uint64_t kDomainsFileMax = 1 << 20;
constexpr std::size_t kAliasMax = 64;
constexpr std::size_t kDomainIdHex = 40;
// Power cuts during the making of one domain.
constexpr unsigned kAsideMax = 100;

Result<Bytes> random_bytes(std::size_t size) {
  Bytes bytes(size);
  if (getrandom(bytes.data(), size, 0) != static_cast<ssize_t>(size))
    return fail(system_error(errno, "cannot get random bytes"));
  return bytes;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<void> check_alias(const std::string& alias) {
  const bool good_characters = std::all_of(alias.begin(), alias.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (alias.empty() || alias.size() > kAliasMax || !good_characters || alias.front() == '.')
    return fail(
        Error{.code = ErrorCode::kUsage,
              .message = "a domain's name has 1 to 64 letters, digits, '.', '_' or '-', and no leading '.'",
              .object = alias});
  if (alias.size() >= kPrefixHexMin && is_hex(alias))
    return fail(Error{
        .code = ErrorCode::kUsage, .message = "a domain's name must not look like an id", .object = alias});
  return {};
}

std::string parent_of(const std::string& directory) {
  const std::filesystem::path parent =
      std::filesystem::path(directory + "/.").lexically_normal().parent_path().parent_path();
  return parent.empty() ? "." : parent.string();
}

// Whether a directory without a layout line holds nothing, or nothing but what init() makes before it: then a
// power cut ended that, and it can be done again. A store that lost its layout line has domains.
Result<bool> is_interrupted_making(io::Io& io, const std::string& directory,
                                   const std::vector<io::ListedEntry>& listed) {
  for (const io::ListedEntry& entry : listed)
    if (std::ranges::find(kHostDirectories, entry.name) == std::end(kHostDirectories)) return false;
  if (!io::exists(io, directory + "/domains")) return true;
  ASL_ASSIGN(const std::vector<io::ListedEntry> domains, io.list(directory + "/domains"));
  return domains.empty();
}

std::string describe_choice(const std::vector<DomainSummary>& domains) {
  std::string text = "choose with --domain:";
  for (const DomainSummary& domain : domains) text += " " + domain.alias;
  return text;
}

}  // namespace

std::string to_hex(const DomainId& id) {
  return to_hex(ByteSpan(id));
}

Result<DomainId> parse_domain_id(std::string_view hex) {
  DomainId id{};
  if (!from_hex(hex, id))
    return fail(
        Error{.code = ErrorCode::kMalformed, .message = "not a domain id", .object = std::string(hex)});
  return id;
}

Result<std::string> read_alias(io::Io& io, const std::string& domain_directory) {
  LogState state;
  ASL_TRY(replay_log(io, LogFiles(domain_directory), {}, [&](const LogGroup& group) -> Result<void> {
    if (!group.after_gap) return state.apply(group.records);
    state.apply_after_gap(group.records);
    return {};
  }));
  return state.alias();
}

Result<HostRoot> HostRoot::init(io::Io& io, std::string directory) {
  if (auto listed = io.list(directory)) {
    if (io::exists(io, directory + "/host/layout")) {
      Error error{.code = ErrorCode::kRefused, .message = "there is a store already", .path = directory};
      error.hint = "asl --root " + directory + " snapshots";
      return fail(std::move(error));
    }
    ASL_ASSIGN(const bool interrupted, is_interrupted_making(io, directory, *listed));
    if (!interrupted)
      return fail(Error{.code = ErrorCode::kUsage,
                        .message = "the directory is not empty",
                        .path = directory,
                        .hint = "name a new or empty directory"});
  } else {
    if (listed.error().code != ErrorCode::kNotFound) return fail(std::move(listed).error());
    ASL_TRY(io.make_directory(directory));
  }
  for (const std::string_view name : kHostDirectories) {
    const std::string path = directory + "/" + std::string(name);
    if (!io::exists(io, path)) ASL_TRY(io.make_directory(path));
  }
  constexpr std::size_t kHostIdBytes = 16;
  ASL_ASSIGN(const Bytes host_id, random_bytes(kHostIdBytes));
  ASL_TRY(io::replace_file(io, directory + "/host/host-id", as_bytes(asl::to_hex(host_id) + "\n")));
  ASL_TRY(io::replace_file(io, directory + "/host/domains", {}));
  ASL_TRY(io.sync_directory(directory));
  ASL_TRY(io.sync_directory(parent_of(directory)));
  // Last: what has a layout line is a whole root.
  ASL_TRY(io::replace_file(io, directory + "/host/layout", as_bytes(std::string(kLayoutLine) + "\n")));
  return HostRoot(io, std::move(directory));
}

Result<HostRoot> HostRoot::open(io::Io& io, std::string directory) {
  if (!io::exists(io, directory + "/host/layout")) {
    Error error{.code = ErrorCode::kNotFound, .message = "there is no store here", .path = directory};
    error.hint = "asl init " + directory + ", or name another with --root";
    return fail(std::move(error));
  }
  HostRoot root(io, std::move(directory));
  ASL_ASSIGN(root.read_only_, check_layout_file(io, root.directory_ + "/host/layout"));
  return root;
}

Result<DomainSummary> HostRoot::create_local_domain(const std::string& alias) {
  ASL_ASSIGN(const Bytes random, random_bytes(std::tuple_size_v<DomainId>));
  DomainId id{};
  std::copy(random.begin(), random.end(), id.begin());
  return create_domain(alias, id, Digest{});
}

Result<DomainSummary> HostRoot::create_domain(const std::string& alias, const DomainId& id,
                                              const Digest& root_public_key) {
  ASL_TRY(check_alias(alias));
  if (read_only_)
    return fail(Error{.code = ErrorCode::kRefused,
                      .message = "the store was written by a newer version and is read-only to this one",
                      .path = directory_});
  ASL_ASSIGN(const std::vector<DomainSummary> present, domains());
  for (const DomainSummary& domain : present) {
    if (domain.unreadable) return fail(*domain.unreadable);  // the name may be its own
    if (domain.alias == alias || domain.id == id)
      return fail(
          Error{.code = ErrorCode::kRefused, .message = "there is such a domain already", .object = alias});
  }
  const std::string parent = directory_ + "/domains";
  const std::string hex = asl::to_hex(id);
  const DomainLayout layout(parent + "/" + hex);
  if (io::exists(*io_, layout.directory())) ASL_TRY(put_aside(hex));
  ASL_TRY(layout.create_directories(*io_));
  ASL_TRY(layout.fill_reserve(*io_, kReserveBaseBytes));
  ASL_ASSIGN(LogWriter log, LogWriter::create(*io_, LogFiles(layout.directory()), id, {}));
  const bool local = root_public_key == Digest{};
  const NewRecord genesis[] = {
      new_record(GenesisRecord{.domain_id = id, .local = local, .root_public_key = root_public_key}),
      new_record(SnapshotLabelRecord{.snapshot_id = kDomainLabelId, .label = alias})};
  ASL_TRY(log.append(genesis));
  // Last: what has a layout line has a log.
  ASL_TRY(layout.write_layout_file(*io_));
  ASL_TRY(io_->sync_directory(parent));
  // Its line in host/domains gives it its slot; without the line it would still be found by its directory.
  ASL_ASSIGN(Bytes lines, io::read_file(*io_, directory_ + "/host/domains", kDomainsFileMax));
  const std::string line = hex + "\n";
  const ByteSpan added = as_bytes(line);
  lines.insert(lines.end(), added.begin(), added.end());
  ASL_TRY(io::replace_file(*io_, directory_ + "/host/domains", lines));
  return DomainSummary{.id = id, .alias = alias, .directory = layout.directory(), .unreadable = {}};
}

// What an interrupted making left: it has no layout line, and host/domains does not name it. Kept all the
// same.
Result<void> HostRoot::put_aside(const std::string& hex) {
  ASL_TRY(check_none_lost());
  const std::string from = directory_ + "/domains";
  const std::string to = directory_ + "/quarantine";
  for (unsigned copy = 1; copy <= kAsideMax; ++copy) {
    const std::string kept = to + "/domain-" + hex + "-" + std::to_string(copy);
    if (io::exists(*io_, kept)) continue;
    ASL_TRY(io_->rename(from + "/" + hex, kept, false));
    ASL_TRY(io_->sync_directory(to));
    return io_->sync_directory(from);
  }
  return fail(Error{.code = ErrorCode::kRefused,
                    .message = "there are too many remains of this domain already",
                    .object = hex,
                    .path = to,
                    .hint = "take them away"});
}

Result<std::vector<std::string>> HostRoot::listed_ids() const {
  ASL_ASSIGN(const Bytes bytes, io::read_file(*io_, directory_ + "/host/domains", kDomainsFileMax));
  std::vector<std::string> ids;
  for (std::string_view text = as_text(bytes); !text.empty();) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!parse_domain_id(line))
      return fail(integrity_error("not a list of domain ids", directory_ + "/host/domains",
                                  bytes.size() - text.size()));
    ids.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

// A domain gets its line when it is whole: one that has a line and no layout was lost.
Result<void> HostRoot::check_none_lost() const {
  ASL_ASSIGN(const std::vector<std::string> ids, listed_ids());
  for (const std::string& id : ids) {
    const std::string layout = directory_ + "/domains/" + id + "/layout";
    if (io::exists(*io_, layout)) continue;
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "a domain of this store has lost its layout file",
                      .object = id,
                      .path = layout,
                      .hint = "put the domain's directory, or this file, back from a copy of the store"});
  }
  return {};
}

Result<std::vector<DomainPlace>> HostRoot::places() const {
  ASL_ASSIGN(std::vector<std::string> ids, listed_ids());
  ASL_ASSIGN(const std::vector<io::ListedEntry> listed, io_->list(directory_ + "/domains"));
  std::vector<std::string> unlisted;
  for (const io::ListedEntry& entry : listed) {
    const bool is_domain = entry.name.size() == kDomainIdHex && is_hex(entry.name);
    if (is_domain && std::find(ids.begin(), ids.end(), entry.name) == ids.end())
      unlisted.push_back(entry.name);
  }
  std::sort(unlisted.begin(), unlisted.end());
  ids.insert(ids.end(), unlisted.begin(), unlisted.end());
  std::vector<DomainPlace> found;
  for (std::size_t slot = 0; slot < ids.size(); ++slot) {
    DomainPlace place{.id = {}, .directory = directory_ + "/domains/" + ids[slot], .slot = slot};
    ASL_ASSIGN(place.id, parse_domain_id(ids[slot]));
    if (!io::exists(*io_, place.directory + "/layout")) continue;  // its making was interrupted
    found.push_back(std::move(place));
  }
  return found;
}

Result<std::vector<DomainSummary>> HostRoot::domains() const {
  ASL_ASSIGN(const std::vector<DomainPlace> present, places());
  std::vector<DomainSummary> found;
  for (const DomainPlace& place : present) {
    DomainSummary summary{.id = place.id, .alias = {}, .directory = place.directory, .unreadable = {}};
    auto alias = read_alias(*io_, summary.directory);
    if (!alias)
      summary.unreadable = std::move(alias).error();
    else
      summary.alias = std::move(*alias);
    if (summary.alias.empty()) summary.alias = asl::to_hex(summary.id);
    found.push_back(std::move(summary));
  }
  return found;
}

Result<DomainSummary> HostRoot::find_domain(std::string_view name) const {
  ASL_ASSIGN(const std::vector<DomainSummary> present, domains());
  if (name.empty()) {
    // Else what was meant for a lost domain would go to another.
    ASL_TRY(check_none_lost());
    if (present.size() == 1) return present.front();
    if (present.empty())
      return fail(Error{.code = ErrorCode::kNotFound,
                        .message = "the store has no domain",
                        .path = directory_,
                        .hint = "asl domain create NAME"});
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "the store has several domains",
                      .path = directory_,
                      .hint = describe_choice(present)});
  }
  std::vector<DomainSummary> matches;
  for (const DomainSummary& domain : present) {
    if (domain.alias == name) return domain;
    if (name.size() >= kPrefixHexMin && asl::to_hex(domain.id).starts_with(name)) matches.push_back(domain);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.empty()) {
    ASL_TRY(check_none_lost());
    for (const DomainSummary& domain : present) {
      if (!domain.unreadable) continue;
      Error error = *domain.unreadable;
      error.hint = "if this is the domain that is meant, name it by its id";
      return fail(std::move(error));
    }
  }
  return fail(Error{.code = ErrorCode::kNotFound,
                    .message = matches.empty() ? "no such domain" : "several domains start so",
                    .object = std::string(name),
                    .hint = describe_choice(matches.empty() ? present : matches)});
}

}  // namespace asl
