#pragma once
/// `davit publish`: commits go where devices fetch them, and hawkBit learns of them as software modules and a
/// distribution set.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/release.h"
#include "common/file.h"
#include "common/result.h"
#include "hawkbit/mgmt/client.h"

namespace davit::cli {

struct PublishOptions {
    Path repository;                ///< the build repository
    Path published;                 ///< the directory that a web server hands out, made when absent
    std::vector<std::string> apps;  ///< APP or APP=COMMIT
    std::string set, set_version;
    std::vector<std::string> on_device;  ///< apps that the devices have already: the set's may require them
    std::vector<std::string> metadata;   ///< KEY=VALUE or APP:KEY=VALUE
    std::optional<std::string>
        repository_url;  ///< where devices fetch from, if not from the URL that they are configured with
};

struct PublishedApp {
    AppRelease app;
    std::int64_t module = 0;
    bool already = false;  ///< hawkBit had it, the same
};

struct Published {
    std::vector<PublishedApp> apps;
    std::string set, set_version;
    std::int64_t set_id = 0;
    bool already = false;               ///< hawkBit had the set, the same
    std::vector<std::string> warnings;  ///< about apps that want others
};

/// A name and version means one thing for ever: publishing the same again does nothing, publishing something else under
/// it is refused before anything is changed. After a failure half-way the same call carries on. Errors: AlreadyExists
/// saying what differs and which version to raise; those of read_release(), check_relations() and of hawkBit.
Result<Published> publish(const PublishOptions& options, mgmt::Client& hawkbit);

std::string to_text(const Published& published);
std::string to_json(const Published& published);

}  // namespace davit::cli
