// Changing a domain's authority: one writing session, one commit that makes everything in it true at once
// (doc/format-authority-log.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/authority.h>
#include <asl/auth/log_head.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/history.h>
#include <asl/engine/small_tree.h>
#include <asl/engine/store_writer.h>

namespace asl::auth {

struct AuthorityCommit {
  SmallSnapshot tree;  // of the authority; id 0 where it did not change
  Notices notices;
};

// Holds the domain's write lock while it lives; one thread. What is bound is checked at once, by the rules
// that every later reader applies, and is in the log after commit() or not at all.
class AuthoritySession {
 public:
  // `host_directory`: the host root, for the copies that lie there; empty where there is none.
  // Errors: those of StoreWriter::open and Authority::load.
  static Result<AuthoritySession> open(Domain& domain, std::string host_directory);

  Domain& domain() const { return *domain_; }
  // What it will be after the commit.
  const Authority& authority() const { return authority_; }
  // Where the log stands; the next commit follows it.
  LogPoint log_point() const;

  Result<void> bind(const Envelope& envelope);
  Result<void> bind_unsigned(Kind kind, std::string_view payload);
  // A record beside the bindings, after them: a date, a publication.
  void add_record(NewRecord record) { records_.push_back(std::move(record)); }

  // Commits all of it, with the tree of the authority as a new snapshot where something in it changed, and
  // writes copies for people. Nothing happens without bindings and records. To be called once.
  Result<AuthorityCommit> commit();

 private:
  AuthoritySession(Domain& domain, std::string host_directory, Authority authority,
                   std::unique_ptr<StoreWriter> writer)
      : domain_(&domain),
        host_directory_(std::move(host_directory)),
        authority_(std::move(authority)),
        writer_(std::move(writer)) {}
  Result<void> bind(BoundObject object);
  Result<std::vector<NewRecord>> put_bound();

  Domain* domain_;
  std::string host_directory_;
  Authority authority_;
  std::unique_ptr<StoreWriter> writer_;
  std::vector<BoundObject> bound_;
  std::vector<NewRecord> records_;
  bool tree_changed_ = false;
};

// The files of the authority tree: who and what the domain is, for anyone who has one of its snapshots.
std::vector<SmallFile> authority_tree(const Authority& authority);

}  // namespace asl::auth
