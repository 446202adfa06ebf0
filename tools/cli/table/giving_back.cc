#include "asl_table.h"

namespace asl::cli {
namespace {

CommandSpec restore_command() {
  return {
      .name = "restore",
      .section = kSectionGivingBack,
      .summary = "write a snapshot, or part of it, back to disk",
      .description =
          "Writes everything back: contents, owners, modes, times to the nanosecond, extended attributes, "
          "ACLs, hard "
          "links, holes and special files. Contents are checked against their hashes on the way.\n\n"
          "A directory's contents go into DIR; a single file goes into DIR under its name. Run again after "
          "an "
          "interruption, it goes on where it stopped. What cannot be set (owners without root, for example) "
          "is "
          "reported once for each kind and makes the exit status 1. Where bytes were never read from the "
          "source, "
          "a file has holes; it is named, the ranges stand in its attribute user.asl.bad_ranges, and the "
          "exit "
          "status is 1.",
      .positionals = {{.name = "ID[:PATH]", .help = kSnapshotPathHelp}},
      .options =
          {{.name = "to",
            .kind = ValueKind::kDirectory,
            .metavar = "DIR",
            .help = "Where to write; required, made if missing"},
           {.name = "include",
            .kind = ValueKind::kText,
            .metavar = "PATTERN",
            .help = "Restore only what matches, with the directories above it",
            .repeatable = true},
           {.name = "exclude",
            .kind = ValueKind::kText,
            .metavar = "PATTERN",
            .help = "Leave out what matches",
            .repeatable = true},
           {.name = "overwrite",
            .kind = ValueKind::kEnum,
            .metavar = "WHEN",
            .help =
                "What to do with files that exist: 'never' touch them, replace those that look 'changed' (by "
                "size and mtime), or 'always' replace",
            .default_text = "changed",
            .choices = {"never", "changed", "always"}},
           {.name = "delete", .help = "Remove what is in DIR but not in the snapshot"},
           {.name = "verify", .help = "Read everything back from the disk afterwards and compare"},
           {.name = "numeric-ids",
            .help = "Set owners by number; without it, by name where this system knows the name"},
           {.name = "jobs",
            .letter = 'j',
            .kind = ValueKind::kInteger,
            .metavar = "N",
            .help = "Number of working threads; without it, two more than there are processors",
            .config_key = "store.jobs",
            .min = 1,
            .max = 256},
           {.name = "dry-run", .letter = 'n', .help = "Say what would be done and change nothing"}},
      .examples = {{"asl restore latest --to /mnt/back", "Everything of the latest snapshot."},
                   {"asl restore 7:/home/ann --to ~/ann --include '*.odt'", "Some files of one directory."}},
      .exit_codes = {1, 4, 5, 6, 7, 9, 130}};
}

CommandSpec get_command() {
  return {
      .name = "get",
      .section = kSectionGivingBack,
      .summary = "write artifacts to standard output or files",
      .description =
          "Writes the bytes of artifacts, each proved against its reference: to standard output one after "
          "the "
          "other, or with --to into files, which appear only when they are whole and proved. In a directory "
          "an untyped artifact is called by the 64 digits of its hash, a typed one 'asl1-' and them.\n\n"
          "Several artifacts into a directory do not depend on each other: what cannot be had is named, the "
          "others are written, and the exit status is that of the first failure.\n\n"
          "The reference of a file that was read in part gives that file, as 'asl cat' does: it is refused, "
          "with its gaps named, unless --fill-gaps asks for zeros there.",
      .positionals = {{.name = "REF", .help = kReferenceHelp, .min = 0, .max = kUnlimited}},
      .options = {{.name = "to",
                   .kind = ValueKind::kPath,
                   .metavar = "PATH",
                   .help = "Write to the file PATH; into the directory PATH if it is one, ends with '/', or "
                           "several artifacts are asked for"},
                  {.name = "overwrite", .help = "Replace files that exist; without it, they are left alone"},
                  {.name = "files-from",
                   .kind = ValueKind::kPath,
                   .metavar = "LIST",
                   .help = "Read further references from LIST, one a line ('-' is standard input); what "
                           "follows a blank is ignored, so that the output of 'asl put' will do"},
                  {.name = "null", .letter = '0', .help = "References in LIST end with NUL"},
                  {.name = "fill-gaps", .help = "Give zeros where bytes were never read from the source"},
                  {.name = "raw",
                   .help = "Of a file that was read in part, give the list of its parts as it is stored"}},
      .examples = {{"asl get 2c26b46b --to contract.pdf", "Write an artifact to a file."},
                   {"asl put *.pdf > list; asl get --files-from list --to back/", "There and back."}},
      .exit_codes = {4, 5, 7, 8, 9}};
}

CommandSpec export_tar_command() {
  return {
      .name = "export-tar",
      .section = kSectionGivingBack,
      .summary = "write a snapshot as a tar stream",
      .description =
          "Writes a snapshot, or part of it, as a pax tar archive: owners by number and name, times to the "
          "nanosecond, extended attributes, ACLs, hard links, devices, and files with holes as sparse files "
          "of "
          "GNU tar's format 1.0. The same snapshot always gives the same bytes.\n\n"
          "Paths in the archive are relative to what is exported; a directory's own entry is './'. Files of "
          "which parts were never read are left out and listed (exit 1), damaged ones too (exit 5). Sockets "
          "are left out, as tar does.",
      .positionals = {{.name = "ID[:PATH]", .help = kSnapshotPathHelp}},
      .options = {{.name = "output",
                   .letter = 'o',
                   .kind = ValueKind::kPath,
                   .metavar = "FILE",
                   .help = "Write to FILE, which appears only when it is whole; without it, standard output"},
                  {.name = "dense",
                   .help = "Write holes as zeros, for programs that do not know sparse files"},
                  {.name = "fill-gaps",
                   .help = "Write zeros where bytes were never read from the source, instead of leaving such "
                           "files out; they are listed all the same"}},
      .examples = {{"asl export-tar latest:/srv | ssh web tar -x --xattrs --acls -C /srv",
                    "Restore a directory to another machine."}},
      .exit_codes = {1, 4, 5, 7, 9}};
}

CommandSpec mount_command() {
  return {
      .name = "mount",
      .section = kSectionGivingBack,
      .summary = "show the store as a read-only file system",
      .description =
          "Mounts every domain and snapshot as ordinary read-only directories below DIR, or only the "
          "snapshot, or directory of one, that is named. New snapshots appear by themselves. What is read is "
          "checked against its hash; what fails the check gives an I/O error and a line in the log.\n\n"
          "DIR/<domain>/ holds snapshots/<number>, by-label/<label>, latest, blobs/<sha256> (any artifact by "
          "its digest; looked up, not listed) and .asl (facts about the domain). Files have the extra "
          "attributes user.asl.sha256, user.asl.ref, user.asl.flags and user.asl.bad_ranges; they can be "
          "asked for, but are not listed, so that copies do not take them along.\n\n"
          "The command returns when the mount can be used; another process serves it until 'asl umount'. "
          "Mounted by root it is open to all users, whose access the kernel checks as on the source. Without "
          "root it needs fusermount3.",
      .positionals = {{.name = "DIR", .help = "Empty directory to mount on", .kind = ValueKind::kDirectory},
                      {.name = "ID[:PATH]",
                       .help = "Show this snapshot, or this directory of it, instead of everything",
                       .min = 0}},
      .options = {{.name = "media",
                   .kind = ValueKind::kPath,
                   .metavar = "STORE",
                   .help = "Show this store (a root, or the directory of a domain) on read-only media: from "
                           "segments and blocks alone, without writing anything"},
                  {.name = "foreground", .letter = 'f', .help = "Stay in the foreground"},
                  {.name = "verify",
                   .kind = ValueKind::kEnum,
                   .metavar = "WHEN",
                   .help = "Check what is read 'always', each extent 'once' a mount, or 'never'",
                   .default_text = "once",
                   .choices = {"always", "once", "never"}},
                  {.name = "log",
                   .kind = ValueKind::kPath,
                   .metavar = "FILE",
                   .help = "Append what goes wrong to FILE; without it, to the system's log, or in the "
                           "foreground to standard error"},
                  {.name = "option",
                   .letter = 'o',
                   .kind = ValueKind::kText,
                   .metavar = "OPTION",
                   .help = "Mount option: 'allow_other', 'dev', 'suid', 'noexec', or 'bad=zero' (ranges that "
                           "were never read from the source read as zeros instead of failing)",
                   .repeatable = true}},
      .examples = {{"asl mount /mnt/asl && ls /mnt/asl", "Look at everything with ordinary tools."},
                   {"asl mount /mnt/ann latest:/home/ann", "One directory of the latest snapshot."}},
      .exit_codes = {3, 4, 5, 10}};
}

CommandSpec umount_command() {
  return {.name = "umount",
          .section = kSectionGivingBack,
          .summary = "take a mounted view away",
          .description = "Unmounts what 'asl mount' mounted, also where its process was killed.",
          .positionals = {{.name = "DIR", .help = "Where it is mounted", .kind = ValueKind::kDirectory}},
          .examples = {{"asl umount /mnt/asl", "Unmount."}},
          .exit_codes = {3, 4, 10},
          .needs_root = false};
}

}  // namespace

std::vector<CommandSpec> giving_back_commands() {
  return {restore_command(), get_command(), export_tar_command(), mount_command(), umount_command()};
}

}  // namespace asl::cli
