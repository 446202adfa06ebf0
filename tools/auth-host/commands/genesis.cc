#include <ctime>
#include <fmt/format.h>

#include <asl/auth/files.h>
#include <asl/auth/genesis.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/rules.h>
#include <asl/auth/words.h>

#include "commands/domain_access.h"
#include "commands/key_access.h"
#include "commands/object_text.h"
#include "commands/principals.h"
#include "text.h"

namespace asl::cli {

Result<int> run_genesis(Context& context, const ParsedOptions& options);

namespace {

// The two keys of a domain, however they came about.
struct DomainKeys {
  auth::SigningKey root;
  auth::SigningKey operational;
};

Result<HostRoot> open_or_make_root(Context& context, io::Io& io) {
  auto root = HostRoot::open(io, context.root);
  if (root || root.error().code != ErrorCode::kNotFound) return root;
  return HostRoot::init(io, context.root);
}

Result<auth::RootSetChain> pinned_roots(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(auth::RootSetChain roots, read_root_sets(options));
  if (roots.empty()) return roots;
  std::string words = options.text("root-words").value_or("");
  if (words.empty()) {
    ASL_ASSIGN(words, auth::ask_terminal("All sixteen words of the root set's version 1, from its holders: ",
                                         [&] { return context.stop.requested(); }));
  }
  if (auto same = auth::check_fingerprint(words, roots.hashes().front()); !same)
    return auth::broken_rule("root-set-pinned", same.error().message, to_hex(roots.hashes().front()));
  return roots;
}

Result<auth::GenesisPlan> read_plan(Context& context, const ParsedOptions& options) {
  auth::GenesisPlan plan;
  if (const auto path = options.text("policy")) {
    ASL_ASSIGN(plan.policy, auth::read_policy_file(*path));
  }
  for (const std::string& text : options.list("principal")) {
    ASL_ASSIGN(const auth::Principal principal, parse_principal(text));
    plan.principals.push_back(principal);
  }
  ASL_ASSIGN(const auto requesters, read_public_keys(options.list("requester")));
  for (const auth::PublicKey& key : requesters)
    plan.principals.push_back({.key = key, .roles = {auth::Role::kProduce}});
  ASL_ASSIGN(plan.roots, pinned_roots(context, options));
  ASL_ASSIGN(plan.date, confirm_ceremony_date(context, options, std::nullopt, "genesis"));
  ASL_ASSIGN(plan.machine, describe_this_machine(options));
  return plan;
}

Result<auth::SigningKey> key_of_class(auth::SigningKey key, auth::KeyClass wanted) {
  if (key.key_class() == wanted) return key;
  return auth::broken_rule("signer-class",
                           fmt::format("a key of class {} was given where one of class {} is needed",
                                       auth::key_class_name(key.key_class()), auth::key_class_name(wanted)),
                           to_hex(key.key_id()));
}

// Given ones are opened, the others made.
Result<DomainKeys> make_keys(Context& context, const ParsedOptions& options) {
  using enum auth::KeyClass;
  auth::SigningKey root(kDomainRoot, auth::make_seed({}));
  auth::SigningKey operational(kOperational, auth::make_seed({}));
  std::size_t place = 0;
  if (const auto path = options.text("root-key")) {
    ASL_ASSIGN(auth::SigningKey opened, open_key(context, options, *path, place++));
    ASL_ASSIGN(root, key_of_class(std::move(opened), kDomainRoot));
  }
  if (const auto path = options.text("key")) {
    ASL_ASSIGN(auth::SigningKey opened, open_key(context, options, *path, place++));
    ASL_ASSIGN(operational, key_of_class(std::move(opened), kOperational));
  }
  return DomainKeys{.root = std::move(root), .operational = std::move(operational)};
}

// A name that has a domain without a manifest: a ceremony that was interrupted goes on with its keys.
Result<std::optional<DomainSummary>> find_unfinished(HostRoot& root, const std::string& alias) {
  ASL_ASSIGN(const std::vector<DomainSummary> domains, root.domains());
  for (const DomainSummary& domain : domains) {
    if (domain.alias != alias) continue;
    ASL_ASSIGN(const auto open, Domain::open(root.io(), domain.directory, {}));
    ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*open));
    if (authority.genesis().local || authority.has_manifest())
      return fail(
          Error{.code = ErrorCode::kRefused, .message = "there is such a domain already", .object = alias});
    ASL_TRY(auth::recover_ceremony_keys(root, domain));
    return domain;
  }
  return std::nullopt;
}

Result<DomainKeys> open_domain_keys(Context& context, const ParsedOptions& options,
                                    const DomainSummary& domain) {
  ASL_ASSIGN(auth::SigningKey root,
             open_key(context, options,
                      options.text("root-key").value_or(auth::root_key_path(domain.directory)), 0));
  ASL_ASSIGN(
      auth::SigningKey operational,
      open_key(context, options, options.text("key").value_or(auth::signer_key_path(domain.directory)), 1));
  return DomainKeys{.root = std::move(root), .operational = std::move(operational)};
}

Result<DomainSummary> make_domain(Context& context, const ParsedOptions& options, HostRoot& root,
                                  const std::string& alias, const DomainKeys& keys) {
  const bool root_elsewhere = options.has("root-key");
  const bool signer_elsewhere = options.has("key");
  auth::SecretBytes phrase;
  if (!root_elsewhere || !signer_elsewhere) {
    ASL_ASSIGN(phrase, choose_pass_phrase(context, options, ""));
  }
  const std::vector<auth::NewKey> files = {{.key = root_elsewhere ? nullptr : &keys.root,
                                            .public_key = keys.root.public_key(),
                                            .name = "root",
                                            .comment = "root of " + alias},
                                           {.key = signer_elsewhere ? nullptr : &keys.operational,
                                            .public_key = keys.operational.public_key(),
                                            .name = "dam-signer",
                                            .comment = "operational key of " + alias}};
  return auth::make_keyed_domain(root, alias, files, phrase, chosen_cost(options));
}

void report(Context& context, const Domain& domain, const auth::Authority& authority,
            const auth::GenesisReport& done) {
  const Digest dam_hash = authority.chain().latest_hash();
  if (context.json) {
    Json json = make_json("genesis");
    json["domain_id"] = to_hex(domain.id());
    put_bytes(json, "alias", domain.alias());
    put_bytes(json, "directory", domain.directory());
    json["root_key_id"] = to_hex(auth::key_id_of(authority.dam().root_key));
    json["dam_hash"] = to_hex(dam_hash);
    json["words"] = auth::fingerprint(dam_hash);
    json["policy_hash"] = to_hex(authority.dam().policy_hash);
    json["claim_hash"] = to_hex(done.claim_hash);
    if (!done.card_error) put_bytes(json, "domain_card", done.card_path);
    put_commit(json, domain, done.commit);
    print_json(context.out, json);
    return;
  }
  if (context.quiet) return;
  print_fact(context, "domain", fmt::format("{} {}", to_hex(domain.id()), domain.alias()));
  print_fact(context, "directory", domain.directory());
  print_fact(context, "root key", to_hex(auth::key_id_of(authority.dam().root_key)));
  print_fact(context, "manifest", "asl1:" + to_hex(dam_hash));
  print_fact(context, "words", auth::fingerprint(dam_hash));
  print_fact(context, "policy", to_hex(authority.dam().policy_hash));
  if (!done.card_error) print_fact(context, "card", done.card_path);
  print_commit(context, domain, done.commit);
}

}  // namespace

Result<int> run_genesis(Context& context, const ParsedOptions& options) {
  const std::string& alias = options.argument("NAME");
  ASL_TRY(auth::protect_process());
  ASL_ASSIGN(const auth::GenesisPlan plan, read_plan(context, options));
  const auto io = io::make_default_io();
  ASL_ASSIGN(HostRoot root, open_or_make_root(context, *io));
  ASL_ASSIGN(std::optional<DomainSummary> summary, find_unfinished(root, alias));
  auto keys = summary ? open_domain_keys(context, options, *summary) : make_keys(context, options);
  if (!keys) return fail(std::move(keys).error());
  if (!summary) {
    ASL_ASSIGN(summary, make_domain(context, options, root, alias, *keys));
  }
  ASL_ASSIGN(const auto domain, Domain::open(*io, summary->directory, {}));
  ASL_ASSIGN(const auth::GenesisReport done,
             auth::found_domain(*domain, root.directory(), keys->root, keys->operational, plan));
  warn_of_notices(context, done.commit.notices);
  if (done.card_error) context.warn("the domain card was not written: " + done.card_error->to_string());
  ASL_ASSIGN(const auth::Authority authority, auth::Authority::load(*domain));
  report(context, *domain, authority, done);
  if (!options.has("root-key"))
    context.warn(
        fmt::format("the domain's root key is on this host: copy {} to two media, check them with 'key "
                    "check', and take it away from here",
                    printable(auth::root_key_path(domain->directory()))));
  return kExitOk;
}

Result<int> run_domain_create(Context& context, const ParsedOptions& options) {
  return run_genesis(context, options);
}

}  // namespace asl::cli
