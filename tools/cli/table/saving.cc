#include "asl_table.h"

namespace asl::cli {
namespace {

// Shared by everything that writes file contents.
OptionSpec compress_option() {
  return {.name = "compress",
          .kind = ValueKind::kText,
          .metavar = "HOW",
          .help =
              "'off', 'zstd', 'zstd:LEVEL' (1 to 19) or 'auto', which tries zstd and keeps what shrinks; "
              "'asl stats' "
              "says what zstd would save",
          .default_text = "off",
          .config_key = "store.compress"};
}

OptionSpec label_option() {
  return {.name = "label",
          .kind = ValueKind::kText,
          .metavar = "LABEL",
          .help = "Name for the new snapshot; a label that is taken moves to it"};
}

OptionSpec tag_option() {
  return {.name = "tag",
          .kind = ValueKind::kText,
          .metavar = "TAG",
          .help = "Free text kept with the snapshot, for finding it again",
          .repeatable = true};
}

OptionSpec jobs_option() {
  return {.name = "jobs",
          .letter = 'j',
          .kind = ValueKind::kInteger,
          .metavar = "N",
          .help = "Number of working threads; without it, one for each processor",
          .config_key = "store.jobs",
          .min = 1,
          .max = 256};
}

OptionSpec host_option() {
  return {.name = "host",
          .kind = ValueKind::kText,
          .metavar = "NAME",
          .help = "Host name to record; without it, this machine's",
          .config_key = "host.name"};
}

std::vector<OptionSpec> selection_options() {
  return {
      {.name = "exclude",
       .kind = ValueKind::kText,
       .metavar = "PATTERN",
       .help = "Leave out what matches: '*', '?', '[a-z]' and '**' as in a shell; a pattern with a '/' is "
               "matched "
               "against the path from the source's top, one without against each name",
       .repeatable = true},
      {.name = "exclude-from",
       .kind = ValueKind::kPath,
       .metavar = "FILE",
       .help = "Read patterns to exclude from FILE, one a line; empty lines and lines starting with '#' are "
               "skipped",
       .repeatable = true},
      {.name = "exclude-if-present",
       .kind = ValueKind::kText,
       .metavar = "NAME",
       .help = "Leave out the contents of directories that hold a file called NAME",
       .repeatable = true},
      {.name = "exclude-caches", .help = "Leave out the contents of directories with a valid CACHEDIR.TAG"},
      {.name = "exclude-larger-than",
       .kind = ValueKind::kSize,
       .metavar = "SIZE",
       .help = "Leave out regular files larger than SIZE"},
      {.name = "files-from",
       .kind = ValueKind::kPath,
       .metavar = "FILE",
       .help = "Read further sources from FILE, one a line; '-' is standard input"},
      {.name = "one-file-system", .letter = 'x', .help = "Do not cross into other file systems"},
  };
}

CommandSpec ingest_command() {
  CommandSpec command{
      .name = "ingest",
      .section = kSectionSaving,
      .summary = "save trees, files, disk images or devices as a new snapshot",
      .description =
          "Reads every SOURCE and makes one new snapshot of them all. A directory is saved with everything "
          "below it: "
          "owners, modes, times, extended attributes, ACLs, hard links, holes and special files. A disk "
          "image, a block "
          "device or standard input is saved as one file.\n\n"
          "Bytes the store has are not written again, and files that have not changed since the last ingest "
          "(same "
          "device, inode, size, mtime and ctime) are not even read again. Work is committed as it goes: "
          "after Ctrl-C or "
          "a crash the next run keeps what was committed.\n\n"
          "A file that changes while it is read is read once more; if it changes again it is kept and "
          "flagged. What "
          "cannot be read is listed, kept in the snapshot's list of errors, and makes the exit status 1. "
          "Bytes that "
          "were not read are never invented.",
      .positionals = {{.name = "SOURCE",
                       .help = "Directory, file or block device",
                       .kind = ValueKind::kPath,
                       .min = 0,
                       .max = kUnlimited}},
      .options = {label_option(), tag_option()},
      .examples = {{"asl ingest ~/photos --label photos", "Save a directory and call the snapshot 'photos'."},
                   {"asl ingest --exclude '*.o' --exclude-caches --one-file-system /",
                    "Save a whole system."},
                   {"pg_dump shop | asl ingest --stdin shop.sql", "Save what another program prints."},
                   {"asl ingest --stdin shop.sql --stdin-from-command 'pg_dump shop'",
                    "The same, but a failing pg_dump makes no snapshot."}},
      .exit_codes = {1, 3, 4, 5, 8, 9},
  };
  for (OptionSpec& option : selection_options()) command.options.push_back(option);
  command.options.insert(
      command.options.end(),
      {{.name = "stdin",
        .kind = ValueKind::kText,
        .metavar = "NAME",
        .help = "Save standard input as a file called NAME"},
       {.name = "stdin-from-command",
        .kind = ValueKind::kText,
        .metavar = "COMMAND",
        .help = "Run COMMAND with /bin/sh and save what it prints, under the name given by --stdin; if it "
                "fails, there "
                "is no snapshot"},
       host_option(),
       compress_option(),
       pin_option(kPinSealedHelp),
       {.name = "reread", .help = "Read every file, even those that look unchanged since the last ingest"},
       jobs_option(),
       {.name = "dry-run",
        .letter = 'n',
        .help = "Say what would be saved and excluded, and write nothing"}});
  return command;
}

CommandSpec import_tar_command() {
  return {
      .name = "import-tar",
      .section = kSectionSaving,
      .summary = "save the contents of a tar stream as a new snapshot",
      .description =
          "Reads a tar archive (ustar, pax or GNU; plain, or compressed with gzip, bzip2, xz, lzma, lzip, "
          "lz4, "
          "zstd or compress) and makes a snapshot of what it holds, as if it had been unpacked and ingested: "
          "owners by number and name, times to the nanosecond, extended attributes, ACLs, hard links, holes "
          "and special files.\n\n"
          "Members may come in any order. Of several with one path the last counts, as when unpacking. "
          "Directories that the archive has no member for are made up and marked as having incomplete "
          "metadata. A leading '/' or './' is taken off. A member that cannot be kept (a path with '..' in "
          "it, a hard link to what is not there) is listed, kept in the snapshot's list of errors, and makes "
          "the exit status 1.\n\n"
          "An archive that is cut short or damaged makes no snapshot (exit status 8).",
      .positionals = {{.name = "FILE",
                       .help = "Archive to read; without it, or as '-', standard input",
                       .kind = ValueKind::kPath,
                       .min = 0}},
      .options = {label_option(), tag_option(), host_option(), compress_option(), pin_option(kPinSealedHelp)},
      .examples = {{"ssh web tar -c --xattrs --acls --sparse /srv | asl import-tar --label web --host web",
                    "Save a directory of another machine."},
                   {"asl import-tar old-backup.tar.xz", "Save what an old archive holds."}},
      .exit_codes = {1, 3, 4, 5, 8, 9, 130}};
}

CommandSpec put_command() {
  return {
      .name = "put",
      .section = kSectionSaving,
      .summary = "store single files as artifacts and print their references",
      .description =
          "Stores each FILE as one artifact, without a snapshot, and prints its reference and its name. "
          "Artifacts stored this way are pinned: gc keeps them until 'asl unpin'; putting one that is known "
          "pins it. Nothing is printed before it is durable.\n\n"
          "What cannot be read, and what changed while it was read, is named, and makes the exit status 1; a "
          "file that cannot be read is not stored.\n\n"
          "--batch takes many artifacts from standard input, one netstring each: the length in decimal "
          "digits, "
          "':', that many bytes, ','. References are printed in the same order. It is the fast way to store "
          "what is in no file; where the stream breaks off, what came before is stored, and the exit status "
          "is 8.",
      .positionals = {{.name = "FILE",
                       .help = "File to store; '-' is standard input, and so is no FILE at all",
                       .kind = ValueKind::kPath,
                       .min = 0,
                       .max = kUnlimited}},
      .options = {{.name = "files-from",
                   .kind = ValueKind::kPath,
                   .metavar = "LIST",
                   .help = "Read further names from LIST, one a line; '-' is standard input"},
                  {.name = "null",
                   .letter = '0',
                   .help = "Names in LIST end with NUL (find -print0); without it, the first one tells"},
                  {.name = "batch", .help = "Store the netstrings of standard input"},
                  {.name = "type",
                   .kind = ValueKind::kText,
                   .metavar = "TAG",
                   .help =
                       "Store typed artifacts with this tag (a number, or hex with 0x), of at most 64 MiB; "
                       "without it, untyped"},
                  compress_option(),
                  jobs_option()},
      .examples = {{"asl put contract.pdf", "Store a file and print 'sha256:...  contract.pdf'."},
                   {"find . -name '*.jpg' -print0 | asl put --files-from -", "Store what find finds."},
                   {"printf '5:hello,6:world!,' | asl put --batch", "Two artifacts."}},
      .exit_codes = {1, 3, 4, 5, 7, 8, 9}};
}

}  // namespace

std::vector<CommandSpec> saving_commands() {
  return {ingest_command(), import_tar_command(), put_command()};
}

}  // namespace asl::cli
