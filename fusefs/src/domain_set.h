// The domains that a mount shows: those of a host root, or one that stands alone.
#pragma once

#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/host_root.h>

#include "domain_view.h"

namespace asl::fusefs {

struct DomainSetOptions {
  DomainOptions domain;  // read_cache_bytes is for all domains together
  std::function<void(const std::string&)> log;
};

// Thread-safe. Domains are never closed: what was handed out stays.
class DomainSet {
 public:
  // `directory` is a host root, or the directory of one domain (as media hold). kNotFound if it is neither. A
  // domain that cannot be opened is logged and left out; it is an error only if none can. `io` and `cache`
  // must outlive the object.
  static Result<std::unique_ptr<DomainSet>> open(io::Io& io, const std::string& directory,
                                                 const DomainSetOptions& options, TreeCache& cache);

  // All, by slot; looks for new ones first.
  std::vector<DomainView*> all();
  DomainView* by_slot(std::uint32_t slot) const;
  // When the set grew last; looks for new ones first.
  timespec changed_at();
  // By alias or whole id; looks for new ones first.
  DomainView* by_name(std::string_view name);

 private:
  DomainSet(io::Io& io, const DomainSetOptions& options, TreeCache& cache)
      : io_(io), options_(options), cache_(cache) {}
  Result<void> add(const std::string& directory, std::uint32_t slot);
  Result<void> look_again();

  io::Io& io_;
  DomainSetOptions options_;
  TreeCache& cache_;
  std::optional<HostRoot> root_;  // none for a domain that stands alone

  std::mutex look_mutex_;             // one look at a time; guards the next
  std::vector<std::string> refused_;  // could not be opened, and were logged
  mutable std::mutex mutex_;          // guards the next two
  timespec changed_at_{};
  std::map<std::uint32_t, std::unique_ptr<DomainView>> domains_;
};

}  // namespace asl::fusefs
