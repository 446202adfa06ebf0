#include "asl_table.h"

namespace asl::cli {
namespace {

PositionalSpec snapshot() {
  return {.name = "ID", .help = kSnapshotHelp};
}
PositionalSpec snapshots() {
  return {.name = "ID", .help = kSnapshotHelp, .max = kUnlimited};
}

OptionSpec keep_option(std::string_view name, std::string_view help) {
  return {.name = name, .kind = ValueKind::kInteger, .metavar = "N", .help = help};
}

CommandSpec snapshots_command() {
  return {
      .name = "snapshots",
      .section = kSectionHistory,
      .summary = "list the snapshots",
      .description =
          "Lists the snapshots of a domain, oldest first: number, time, host, labels, sources, files, size "
          "and what stands out (errors, partial files, hold, pins).",
      .options =
          {{.name = "host", .kind = ValueKind::kText, .metavar = "NAME", .help = "Only those of this host"},
           {.name = "tag",
            .kind = ValueKind::kText,
            .metavar = "TAG",
            .help = "Only those with this tag; with several, all of them",
            .repeatable = true},
           {.name = "source",
            .kind = ValueKind::kText,
            .metavar = "PATH",
            .help = "Only those with this source path"},
           {.name = "last",
            .letter = 'n',
            .kind = ValueKind::kInteger,
            .metavar = "N",
            .help = "Only the last N"}},
      .examples = {{"asl snapshots", "List them all."}},
      .exit_codes = {4, 5}};
}

CommandSpec show_command() {
  return {
      .name = "snapshot show",
      .section = kSectionHistory,
      .summary = "show one snapshot with its facts and errors",
      .description =
          "Shows what a snapshot records about itself: reference, sources, counts, host, tags, hold, origin, "
          "and what could not be read when it was made.",
      .positionals = {snapshot()},
      .options = {{.name = "errors", .help = "List every error; without it, the first ten"}},
      .examples = {{"asl snapshot show latest --errors", "See what the last ingest could not read."}},
      .exit_codes = {4, 5}};
}

CommandSpec label_command() {
  return {.name = "snapshot label",
          .section = kSectionHistory,
          .summary = "give a snapshot a label",
          .description =
              "Labels are unique: a label that is taken moves. An empty LABEL takes the label away. A label "
              "must not look like a number and must not be 'latest'.",
          .positionals = {snapshot(), {.name = "LABEL", .help = "New label"}},
          .examples = {{"asl snapshot label 7 before-upgrade", "Name snapshot 7."}},
          .exit_codes = {3, 4, 5}};
}

CommandSpec forget_one_command() {
  return {.name = "snapshot forget",
          .section = kSectionHistory,
          .summary = "forget snapshots",
          .description =
              "Removes snapshots from the list, and the pins they have in the file system. Nothing is freed "
              "before "
              "'asl gc'. A snapshot that is on hold or published is refused.",
          .positionals = {snapshots()},
          .options = {{.name = "dry-run",
                       .letter = 'n',
                       .help = "Say what would be forgotten and change nothing"}},
          .examples = {{"asl snapshot forget 3 4", "Forget two snapshots."}},
          .exit_codes = {3, 4, 5, 7}};
}

CommandSpec hold_command() {
  return {.name = "snapshot hold",
          .section = kSectionHistory,
          .summary = "keep a snapshot from being forgotten",
          .description = "A snapshot on hold cannot be forgotten, by hand or by rule, until it is released.",
          .positionals = {snapshots()},
          .options = {{.name = "reason",
                       .kind = ValueKind::kText,
                       .metavar = "TEXT",
                       .help = "Why; recorded in the log"}},
          .examples = {{"asl snapshot hold 7 --reason 'case 2025-11'", "Hold snapshot 7."}},
          .exit_codes = {3, 4, 5}};
}

CommandSpec release_command() {
  return {.name = "snapshot release",
          .section = kSectionHistory,
          .summary = "take a snapshot off hold",
          .description = "The snapshot can be forgotten again.",
          .positionals = {snapshots()},
          .options = {{.name = "reason",
                       .kind = ValueKind::kText,
                       .metavar = "TEXT",
                       .help = "Why; recorded in the log"}},
          .examples = {{"asl snapshot release 7", "Release snapshot 7."}},
          .exit_codes = {3, 4, 5}};
}

CommandSpec forget_command() {
  return {
      .name = "forget",
      .section = kSectionHistory,
      .summary = "forget snapshots by rule",
      .description =
          "Applies keep rules to the snapshots of each (host, sources) group by itself, keeps every snapshot "
          "that some rule keeps, and forgets the rest. Snapshots on hold or published stay. Nothing is freed "
          "before 'asl gc'. Without any rule it refuses, and so it does where nothing at all would be "
          "kept.\n\n"
          "The clock is not trusted: ages count back from the newest snapshot of a group, and a snapshot "
          "whose time does not fit between those made before and after it is kept.",
      .options = {keep_option("keep-last", "Keep the last N"),
                  keep_option("keep-hourly", "Keep one in each of the last N hours"),
                  keep_option("keep-daily", "Keep one in each of the last N days"),
                  keep_option("keep-weekly", "Keep one in each of the last N weeks"),
                  keep_option("keep-monthly", "Keep one in each of the last N months"),
                  keep_option("keep-yearly", "Keep one in each of the last N years"),
                  {.name = "keep-within",
                   .kind = ValueKind::kDuration,
                   .metavar = "TIME",
                   .help = "Keep all that are younger than TIME before the newest, e.g. 30d"},
                  {.name = "keep-tag",
                   .kind = ValueKind::kText,
                   .metavar = "TAG",
                   .help = "Keep all with this tag",
                   .repeatable = true},
                  {.name = "keep-labelled", .help = "Keep all that have a label"},
                  {.name = "dry-run",
                   .letter = 'n',
                   .help = "Show what each rule keeps, and change nothing"}},
      .examples = {{"asl forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 -n",
                    "See what a schedule would keep."}},
      .exit_codes = {3, 5, 7}};
}

CommandSpec rewrite_command() {
  return {
      .name = "rewrite",
      .section = kSectionHistory,
      .summary = "make snapshots anew without what should never have been ingested",
      .description =
          "Makes a copy of each snapshot named, without the files and directories that match; it has a "
          "number of "
          "its own, the same time, host and tags, and the original as its parent. A snapshot that holds "
          "nothing of "
          "the kind stays as it is. Nothing is read again but directories, and nothing else is written.\n\n"
          "The originals stay until they are forgotten; --forget does that in the same step, moves their "
          "labels, and "
          "is refused where one is on hold or published. The bytes leave the disk with 'asl gc', as far as "
          "nothing "
          "else needs them.\n\n"
          "The next ingest takes the files in again unless it gets the same patterns. What must not be read "
          "from "
          "now on, in any snapshot, is withdrawn by 'asl tombstone'.",
      .positionals = {{.name = "ID", .help = kSnapshotHelp, .min = 0, .max = kUnlimited}},
      .options = {{.name = "all", .help = "Every snapshot of the domain"},
                  {.name = "exclude",
                   .kind = ValueKind::kText,
                   .metavar = "PATTERN",
                   .help = "Take out what matches; patterns are those of 'asl ingest'",
                   .repeatable = true},
                  {.name = "exclude-from",
                   .kind = ValueKind::kPath,
                   .metavar = "FILE",
                   .help = "Read patterns from FILE, one a line",
                   .repeatable = true},
                  {.name = "exclude-larger-than",
                   .kind = ValueKind::kSize,
                   .metavar = "SIZE",
                   .help = "Take out files larger than SIZE"},
                  {.name = "exclude-source",
                   .kind = ValueKind::kText,
                   .metavar = "PATH",
                   .help = "Take out this source whole ('asl snapshot show' lists the sources)",
                   .repeatable = true},
                  {.name = "forget", .help = "Forget the originals"},
                  {.name = "dry-run",
                   .letter = 'n',
                   .help = "Say what would be taken out and change nothing"}},
      .examples = {{"asl rewrite --all --exclude id_rsa -n", "See which snapshots hold a key."},
                   {"asl rewrite --all --exclude id_rsa --forget", "Take it out of all of them."}},
      .exit_codes = {3, 4, 5, 7}};
}

CommandSpec log_command() {
  return {.name = "log",
          .section = kSectionHistory,
          .summary = "print the domain's log in words",
          .description =
              "Prints the hash-chained record of everything that became visible, oldest first, checking the "
              "chain on the way.",
          .options = {{.name = "since",
                       .kind = ValueKind::kInteger,
                       .metavar = "SEQ",
                       .help = "Start at this sequence number",
                       .min = 1},
                      {.name = "last",
                       .letter = 'n',
                       .kind = ValueKind::kInteger,
                       .metavar = "N",
                       .help = "Print the last N commits only"},
                      {.name = "hashes", .help = "Show the hash of every record"}},
          .examples = {{"asl log -n 5", "The last five commits."}},
          .exit_codes = {4, 5, 10}};
}

}  // namespace

std::vector<CommandSpec> history_commands() {
  return {snapshots_command(), show_command(),   label_command(),   forget_one_command(), hold_command(),
          release_command(),   forget_command(), rewrite_command(), log_command()};
}

}  // namespace asl::cli
