#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <unistd.h>

#include <asl/engine/put.h>

#include "commands/compression.h"
#include "commands/name_list.h"
#include "commands/open_store.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

Result<std::uint32_t> parse_type_tag(const std::string& text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = std::string_view(text).substr(hex ? 2 : 0);
  std::uint32_t tag = 0;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), tag, hex ? 16 : 10);
  if (failed != std::errc() || end != digits.data() + digits.size())
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "a type is a number up to 4294967295, or hex: 0x00c0ffee",
                      .object = text});
  return tag;
}

// Prints what became durable, in the order given.
class PutPrinter {
 public:
  PutPrinter(Context& context, bool batch) : context_(context), batch_(batch) {
    if (context.json) list_.emplace(context.out, make_json("put"), "artifacts");
  }

  Result<void> print(const PutOutcome& outcome) {
    if (outcome.error) {
      // The first is kept back: where nothing else is stored or fails, it is the command's own error.
      if (++failed_ == 1) first_error_ = outcome.error;
      if (failed_ > 1 || stored_ > 0) warn_of_first();
      if (failed_ > 1) warn_of(*outcome.error);
    } else {
      if (++stored_ == 1) warn_of_first();
      bytes_ += outcome.written.length;
      if (outcome.changed) {
        ++changed_;
        context_.warn("changed while it was read: " + outcome.name);
      }
    }
    if (list_)
      add_row(outcome);
    else if (!outcome.error)
      write_line(outcome);
    return {};
  }

  // `whole`: everything that was to be stored was looked at.
  Result<int> finish(const WriterTotals& totals, bool whole) {
    if (list_ && whole) {
      Json trailer = Json::object();
      trailer["artifact_count"] = stored_;
      trailer["failed_count"] = failed_;
      trailer["changed_while_read"] = changed_;
      trailer["bytes"] = bytes_;
      trailer["bytes_new"] = totals.bytes_new;
      trailer["bytes_stored"] = totals.bytes_stored;
      trailer["commits"] = totals.commits;
      list_->finish(trailer);
    }
    if (failed_ == 1 && stored_ == 0) return fail(*first_error_);
    if (stored_ == 0 && failed_ > 0) return exit_code(first_error_->code);
    return failed_ + changed_ > 0 ? kExitSourceIncomplete : kExitOk;
  }

 private:
  void warn_of(const Error& error) { context_.warn("not stored: " + error.to_string()); }
  void warn_of_first() {
    if (first_error_ && !std::exchange(first_told_, true)) warn_of(*first_error_);
  }

  void add_row(const PutOutcome& outcome) {
    Json row = Json::object();
    if (!batch_) put_bytes(row, "name", outcome.name);
    if (outcome.error) {
      row["error"] = printable_message(outcome.error->to_string());
    } else {
      row["reference"] = to_text(outcome.written.reference);
      row["length"] = outcome.written.length;
      if (outcome.changed) row["changed_while_read"] = true;
    }
    aside([&] { list_->add(row); });
  }

  void write_line(const PutOutcome& outcome) {
    std::string line = to_text(outcome.written.reference);
    if (!batch_) line += "  " + printable(outcome.name);
    aside([&] { context_.out.line(line); });
  }

  // A terminal shows the progress line too.
  template <typename Print>
  void aside(const Print& print) {
    if (context_.progress != nullptr && context_.out.is_terminal())
      context_.progress->aside([&] {
        print();
        static_cast<void>(context_.out.flush());  // a failure is kept and comes up at the end
      });
    else
      print();
  }

  Context& context_;
  const bool batch_;
  std::optional<JsonList> list_;
  std::optional<Error> first_error_;
  bool first_told_ = false;
  std::uint64_t stored_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t changed_ = 0;
  std::uint64_t bytes_ = 0;
};

Result<void> add_name(Putter& putter, const std::string& name) {
  return name == "-" ? putter.add_stream(STDIN_FILENO, name) : putter.add_file(name);
}

Result<void> add_all(Putter& putter, const ParsedOptions& options) {
  const std::vector<std::string>& files = options.arguments("FILE");
  for (const std::string& name : files) ASL_TRY(add_name(putter, name));
  const auto list = options.text("files-from");
  if (!list) return files.empty() ? putter.add_stream(STDIN_FILENO, "-") : Result<void>();
  ASL_ASSIGN(NameReader names, NameReader::open(*list, options.flag("null")));
  while (true) {
    ASL_ASSIGN(const std::optional<std::string> name, names.next());
    if (!name) return {};
    ASL_TRY(putter.add_file(*name));
  }
}

Result<PutOptions> put_options(const ParsedOptions& options) {
  PutOptions put;
  if (const auto type = options.text("type")) {
    ASL_ASSIGN(put.type_tag, parse_type_tag(*type));
  }
  ASL_ASSIGN(put.compression, parse_compression(options.text("compress").value_or("off")));
  put.jobs = static_cast<unsigned>(options.number("jobs").value_or(0));
  if (options.flag("batch") && (!options.arguments("FILE").empty() || options.has("files-from")))
    return fail(ErrorCode::kUsage, "--batch reads standard input and takes no files");
  if (options.flag("null") && !options.has("files-from"))
    return fail(ErrorCode::kUsage, "--null is about the names of --files-from");
  return put;
}

}  // namespace

Result<int> run_put(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const PutOptions put, put_options(options));
  const bool batch = options.flag("batch");
  ASL_ASSIGN(const OpenStore store, open_store(context));
  PutPrinter printer(context, batch);
  Result<void> added;
  Result<WriterTotals> totals;
  {
    ProgressScope progress(context);
    ASL_ASSIGN(const std::unique_ptr<Putter> putter,
               Putter::open(
                   *store.domain, put, [&](const PutOutcome& outcome) { return printer.print(outcome); },
                   progress.counters(), context.stop));
    for (const std::string& notice : putter->notices()) context.warn(notice);
    added = batch ? putter->add_batch(STDIN_FILENO, "standard input") : add_all(*putter, options);
    // What came before the place where a batch, or a list of names, breaks its form is stored all the same.
    if (!added && added.error().code != ErrorCode::kMalformed) return fail(added.error());
    totals = putter->finish();
  }
  ASL_TRY(totals);
  ASL_ASSIGN(const int code, printer.finish(*totals, added.has_value()));
  ASL_TRY(added);
  return code;
}

}  // namespace asl::cli
