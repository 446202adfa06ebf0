// The table of the program asl: every command it can have, whether its handler is linked in or not.
#pragma once

#include <vector>

#include "option_table.h"

namespace asl::cli {

ProgramSpec asl_table();

// The rows, one function for each section of the help.
inline constexpr std::string_view kSectionSaving = "Save data";
inline constexpr std::string_view kSectionLooking = "Look around";
inline constexpr std::string_view kSectionGivingBack = "Get data back";
inline constexpr std::string_view kSectionHistory = "Snapshots";
inline constexpr std::string_view kSectionCare = "Prove and maintain";
inline constexpr std::string_view kSectionStores = "Stores and domains";
inline constexpr std::string_view kSectionHelp = "Help";
std::vector<CommandSpec> saving_commands();
std::vector<CommandSpec> looking_commands();
std::vector<CommandSpec> giving_back_commands();
std::vector<CommandSpec> history_commands();
std::vector<CommandSpec> care_commands();
std::vector<CommandSpec> store_commands();

// Of the commands that seal snapshots, and of gc.
OptionSpec pin_option(std::string_view help);
inline constexpr std::string_view kPinSealedHelp =
    "Give the new snapshot a snapshot of the file system too, which keeps its data until it is forgotten: "
    "the "
    "root must be a ZFS data set or a btrfs subvolume of its own";

// Wordings that several rows share.
inline constexpr std::string_view kSnapshotHelp = "Snapshot: a number, 'latest' or a label";
inline constexpr std::string_view kSnapshotPathHelp =
    "Snapshot (a number, 'latest' or a label), or a path inside one: 'ID:/path'";
inline constexpr std::string_view kReferenceHelp =
    "Artifact: 'sha256:' or 'asl1:' and its hex digits; 8 or more digits will do, and bare digits mean "
    "sha256";

}  // namespace asl::cli
