// A small program for the tests of the command-line layer.
#pragma once

#include "program.h"

namespace asl::cli {

inline ProgramSpec sample_program() {
  ProgramSpec program{
      .name = "sample",
      .version = "1.2",
      .date = "2001-02-03",
      .summary = "show how it works",
      .description = "First paragraph - with a dash.\n\nSecond paragraph.",
      .sections = {"Work", "Help"},
      .options = common_options(),
      .commands =
          {{.name = "save",
            .section = "Work",
            .summary = "save things",
            .description = "Saves what it is given.",
            .positionals =
                {{.name = "SOURCE", .help = "What to save", .kind = ValueKind::kPath, .max = kUnlimited}},
            .options =
                {{.name = "exclude",
                  .kind = ValueKind::kText,
                  .metavar = "PATTERN",
                  .help = "Leave out",
                  .repeatable = true},
                 {.name = "label",
                  .letter = 'l',
                  .kind = ValueKind::kText,
                  .metavar = "LABEL",
                  .help = "Name it"},
                 {.name = "limit",
                  .kind = ValueKind::kSize,
                  .metavar = "SIZE",
                  .help = "At most",
                  .default_text = "64M"},
                 {.name = "jobs",
                  .letter = 'j',
                  .kind = ValueKind::kInteger,
                  .metavar = "N",
                  .help = "Threads; all of them",
                  .config_key = "store.jobs",
                  .min = 1,
                  .max = 8},
                 {.name = "sample", .kind = ValueKind::kPercent, .metavar = "SHARE", .help = "A share"},
                 {.name = "dry-run", .letter = 'n', .help = "Change nothing", .config_key = "store.dry-run"}},
            .examples = {{"sample save .", "Save all."}},
            .exit_codes = {1, 9}},
           {.name = "snapshot show",
            .section = "Work",
            .summary = "show one",
            .description = "Shows one.",
            .positionals = {{.name = "ID", .help = "Which"}, {.name = "PATH", .help = "Where", .min = 0}}},
           {.name = "snapshot label",
            .section = "Work",
            .summary = "label one",
            .description = "Labels one."},
           {.name = "unlinked", .section = "Work", .summary = "is not there", .description = "Not there."}},
      .groups = {{"snapshot", "show and label snapshots"}},
      .environment = {{"SAMPLE", "A variable."}},
      .files = {{"/etc/sample", "A file."}},
      .see_also = {"true(1)"},
  };
  for (CommandSpec& command : common_commands("Help")) program.commands.push_back(command);
  return program;
}

}  // namespace asl::cli
