#include "asl_table.h"

namespace asl::cli {
namespace {

PositionalSpec place() {
  return {.name = "ID[:PATH]", .help = kSnapshotPathHelp};
}
PositionalSpec optional_place() {
  return {.name = "ID[:PATH]",
          .help = "Snapshot, or a path inside one: 'ID:/path'; without it, 'latest'",
          .min = 0};
}

CommandSpec ls_command() {
  return {.name = "ls",
          .section = kSectionLooking,
          .summary = "list a directory of a snapshot",
          .description = "Lists what a directory of a snapshot holds, or shows one file, sorted by name.",
          .positionals = {optional_place()},
          .options = {{.name = "long", .letter = 'l', .help = "Show mode, owner, size, time and flags"},
                      {.name = "recursive", .letter = 'R', .help = "List everything below, too, as paths"},
                      {.name = "references", .help = "Show each file's reference"},
                      {.name = "numeric-ids", .help = "Show owners as numbers"},
                      {.name = "null",
                       .letter = '0',
                       .help = "End every name with a zero byte and escape nothing"}},
          .examples = {{"asl ls latest:/etc -l", "List /etc of the latest snapshot."}},
          .exit_codes = {4, 5}};
}

CommandSpec tree_command() {
  return {.name = "tree",
          .section = kSectionLooking,
          .summary = "draw a directory of a snapshot as a tree",
          .description = "Draws a directory and what lies below it as an indented tree.",
          .positionals = {optional_place()},
          .options = {{.name = "depth",
                       .letter = 'L',
                       .kind = ValueKind::kInteger,
                       .metavar = "N",
                       .help = "Go down at most N levels",
                       .min = 1},
                      {.name = "directories", .help = "Show directories only"},
                      {.name = "sizes", .letter = 's', .help = "Show the size of every file"}},
          .examples = {{"asl tree photos -L 2", "Two levels of the snapshot labelled 'photos'."}},
          .exit_codes = {4, 5}};
}

CommandSpec cat_command() {
  return {
      .name = "cat",
      .section = kSectionLooking,
      .summary = "print files of a snapshot",
      .description =
          "Writes the contents of files to standard output. Every byte is checked against its hash before "
          "it is written; a damaged extent ends the output with an error that names it. A file that was not "
          "read "
          "whole from its source is not printed; the error names the ranges that are missing.",
      .positionals = {{.name = "ID:PATH", .help = "File inside a snapshot", .max = kUnlimited}},
      .options = {{.name = "fill-gaps",
                   .help =
                       "Print zeros for ranges that were never read from the source, instead of failing"}},
      .examples = {{"asl cat 7:/etc/fstab", "Print a file of snapshot 7."}},
      .exit_codes = {4, 5, 7}};
}

CommandSpec sums_command() {
  return {.name = "sums",
          .section = kSectionLooking,
          .summary = "print SHA-256 sums of a snapshot's files, for sha256sum -c",
          .description =
              "Prints one line for each regular file, in the form that 'sha256sum -c' reads. Nothing is read "
              "but the trees: the sums are the files' names in the store. Files with gaps have no sum; they "
              "are named on standard error and make the exit status 1.",
          .positionals = {place()},
          .options = {{.name = "null",
                       .letter = '0',
                       .help = "End lines with a zero byte and escape nothing (sha256sum -z)"}},
          .examples = {{"cd /src && asl sums latest | sha256sum -c --quiet",
                        "Compare a directory with its snapshot."}},
          .exit_codes = {1, 4, 5}};
}

CommandSpec find_command_row() {
  return {.name = "find",
          .section = kSectionLooking,
          .summary = "find files by name, hash, size or damage",
          .description =
              "Searches snapshots for entries that satisfy everything that is asked. PATTERN is matched "
              "against names, or against whole paths if it holds a '/'. An entry that is the same in several "
              "snapshots of the same sources is shown once, at the last of them, with the first.",
          .positionals = {{.name = "PATTERN",
                           .help = "Shell pattern: '*', '?', '[a-z]', and '**' across directories",
                           .min = 0}},
          .options =
              {{.name = "snapshot",
                .letter = 's',
                .kind = ValueKind::kText,
                .metavar = "ID[:PATH]",
                .help = "Search here only; without it, all snapshots",
                .repeatable = true},
               {.name = "hash",
                .kind = ValueKind::kText,
                .metavar = "REF",
                .help = "Files with this content: 8 or more hex digits of their reference"},
               {.name = "larger-than",
                .kind = ValueKind::kSize,
                .metavar = "SIZE",
                .help = "Files larger than SIZE"},
               {.name = "smaller-than",
                .kind = ValueKind::kSize,
                .metavar = "SIZE",
                .help = "Files smaller than SIZE"},
               {.name = "type",
                .kind = ValueKind::kEnum,
                .metavar = "TYPE",
                .help = "Entries of this type only",
                .choices = {"file", "directory", "symlink", "char", "block", "fifo", "socket"}},
               {.name = "ignore-case", .letter = 'i', .help = "Match the letters a to z in either case"},
               {.name = "damaged", .help = "Files whose bytes are known to be damaged in the store"},
               {.name = "incomplete", .help = "Files that were not read whole, or changed while being read"},
               {.name = "null", .letter = '0', .help = "End every path with a zero byte and escape nothing"}},
          .examples = {{"asl find '*.jpg' --larger-than 10M", "Large pictures in any snapshot."},
                       {"asl find --hash 2c26b46b", "Where this content occurs."}},
          .exit_codes = {4, 5}};
}

CommandSpec diff_command() {
  return {
      .name = "diff",
      .section = kSectionLooking,
      .summary = "show what differs between two snapshots",
      .description =
          "Compares two snapshots, or two directories in them, and prints one line for each entry that was "
          "added (+), removed (-), changed in content (M) or changed in its metadata only (m). Trees that "
          "are the same are not even read. What cannot be set on a restored file (its birth time, its inode) "
          "is not compared.",
      .positionals = {{.name = "A", .help = kSnapshotPathHelp}, {.name = "B", .help = kSnapshotPathHelp}},
      .options = {{.name = "content-only", .help = "Leave out entries of which only the metadata changed"},
                  {.name = "null",
                   .letter = '0',
                   .help = "End every line with a zero byte and escape nothing"}},
      .examples = {{"asl diff 6 7", "What changed between snapshots 6 and 7."}},
      .exit_codes = {4, 5}};
}

CommandSpec stat_command() {
  return {
      .name = "stat",
      .section = kSectionLooking,
      .summary = "show everything known about a file or an artifact",
      .description =
          "Shows an entry of a snapshot with all its metadata, and its content; or an artifact by itself: "
          "its "
          "type, length, extents and where they lie, whether it is pinned, named by the log, withdrawn by a "
          "tombstone, or known to be damaged.",
      .positionals = {{.name = "REF|ID:PATH",
                       .help = "Artifact ('sha256:' or 'asl1:' and its hex digits; 8 or more digits will do, "
                               "and bare digits mean sha256), or a place in a snapshot"}},
      .options = {{.name = "extents", .help = "List every extent with its block, offset and digest"}},
      .examples = {{"asl stat 2c26b46b", "Look up an artifact by the start of its hash."},
                   {"asl stat latest:/etc/fstab", "Look at a file and what it is made of."}},
      .exit_codes = {4, 5, 8}};
}

}  // namespace

std::vector<CommandSpec> looking_commands() {
  return {ls_command(),       tree_command(), cat_command(), sums_command(),
          find_command_row(), diff_command(), stat_command()};
}

}  // namespace asl::cli
