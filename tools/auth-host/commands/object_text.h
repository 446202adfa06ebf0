// Objects and keys as text and JSON, and the confirmation by words.
#pragma once

#include <string>
#include <vector>

#include <asl/auth/dam.h>
#include <asl/auth/explain.h>
#include <asl/auth/root_set.h>
#include <asl/auth/words.h>

#include "json_out.h"
#include "program.h"

namespace asl::cli {

// "name       value", the value escaped.
void print_fact(Context& context, std::string_view name, std::string_view value);

void print_explanation(Context& context, const auth::Explanation& explanation);
Json explanation_json(const auth::Explanation& explanation);
// 0, or the exit code of what is wrong with it.
int verdict(const auth::Explanation& explanation);

// Shows the object and asks for four of its words on the terminal, or compares all sixteen of --confirm.
// kRefused if they are others.
Result<void> confirm_object(Context& context, const ParsedOptions& options, const auth::Envelope& envelope);

// After an object was written to `path`: prints its hash, words and how far it is signed.
Result<void> report_envelope(Context& context, std::string_view command, const std::string& path,
                             const auth::Envelope& envelope, const auth::RootSetChain* roots);

// The root set of --root-set (or `option`), verified; empty if the option is not given.
Result<auth::RootSetChain> read_root_sets(const ParsedOptions& options, std::string_view option = "root-set");
Result<auth::DamChain> read_dam_chain(const std::string& path);

}  // namespace asl::cli
