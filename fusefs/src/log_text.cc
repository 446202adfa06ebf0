#include "log_text.h"

#include <fmt/format.h>
#include <string>

#include <asl/engine/log_listing.h>

namespace asl::fusefs {

Result<Bytes> log_in_words(const Domain& domain, std::uint64_t last_logseq) {
  std::string text;
  bool cut = false;
  const auto each = [&](const ListedCommit& commit) -> Result<void> {
    if (commit.after_gap) text += "-- records are missing here --\n";
    for (const LogRecord& record : commit.records) {
      if (record.logseq > last_logseq) return {};
      ASL_ASSIGN(const LogDescription description, describe(record));
      text += fmt::format("{:>8}  {:<15}  {}\n", record.logseq, description.name, description.words);
    }
    // Dropped by halves, so that a long log costs no more than twice its text.
    if (text.size() > 2 * kLogTextBytesMax) {
      text.erase(0, text.find('\n', text.size() - kLogTextBytesMax) + 1);
      cut = true;
    }
    return {};
  };
  ASL_ASSIGN(const auto damage, list_log(domain, {}, each));
  if (text.size() > kLogTextBytesMax) {
    text.erase(0, text.find('\n', text.size() - kLogTextBytesMax) + 1);
    cut = true;
  }
  if (cut) text.insert(0, "-- earlier records are left out: see asl log --\n");
  for (const Error& error : damage) text += "-- damaged: " + error.to_string() + " --\n";
  const ByteSpan bytes = as_bytes(text);
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace asl::fusefs
