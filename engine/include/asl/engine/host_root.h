// A host root: the directory that holds domains and what the host knows about itself
// (doc/format-host.md). Knows where things of the host lie; a domain's own directory is Domain's matter.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl {

std::string to_hex(const DomainId& id);
Result<DomainId> parse_domain_id(std::string_view hex);

// The line in every `layout` file. A higher major version is refused, a higher minor opens read-only.
inline constexpr std::string_view kLayoutLine = "asl-layout 1.0";

struct DomainSummary {
  DomainId id{};
  std::string alias;  // the id in hex where none was given, or none can be read
  std::string directory;
  std::optional<Error> unreadable;  // why its log, which has the alias, cannot be read
};

// Where a domain is, without looking into it.
struct DomainPlace {
  DomainId id{};
  std::string directory;
  std::size_t slot = 0;  // its line in host/domains, from 0; those not listed follow, by id
};

// The name in a domain's log, replayed for it; empty if it has none.
Result<std::string> read_alias(io::Io& io, const std::string& domain_directory);

class HostRoot {
 public:
  // Makes the directory tree, a host id and nothing else. kUsage if `directory` holds anything foreign;
  // kRefused if it is a root already. Durable on return. `io` must outlive the object.
  static Result<HostRoot> init(io::Io& io, std::string directory);
  // kNotFound (with a hint to run `asl init`) if there is none, kUnsupported for an unknown layout.
  static Result<HostRoot> open(io::Io& io, std::string directory);

  const std::string& directory() const { return directory_; }
  bool read_only() const { return read_only_; }  // an unknown minor layout version
  io::Io& io() const { return *io_; }

  // Makes an empty local domain (no key) and registers it. The alias matches [A-Za-z0-9._-]{1,64}, does not
  // start with '.', does not look like a domain id and is new (kRefused). Durable on return.
  Result<DomainSummary> create_local_domain(const std::string& alias);
  // The same with a given identity; used for keyed domains. `root_public_key` is zero for a local one. What
  // an interrupted call with this identity left goes to quarantine/.
  Result<DomainSummary> create_domain(const std::string& alias, const DomainId& id,
                                      const Digest& root_public_key);

  // In the order of host/domains, those found only as directories last; reads no log.
  Result<std::vector<DomainPlace>> places() const;
  // In the order of host/domains; domains found only as directories come last, by id. One whose log cannot be
  // read hides no other.
  Result<std::vector<DomainSummary>> domains() const;
  // By alias, id, or unambiguous prefix (8 or more digits) of an id. An empty name is the only domain there
  // is (kUsage with the list if there are several). The log's error if a domain whose name cannot be read may
  // be the one meant; kIntegrity if a domain that host/domains names may be the one meant and has no layout
  // file any more.
  Result<DomainSummary> find_domain(std::string_view name) const;

 private:
  HostRoot(io::Io& io, std::string directory) : io_(&io), directory_(std::move(directory)) {}
  Result<std::vector<std::string>> listed_ids() const;
  Result<void> check_none_lost() const;
  Result<void> put_aside(const std::string& hex);
  io::Io* io_;
  std::string directory_;
  bool read_only_ = false;
};

}  // namespace asl
