#pragma once
/// A directory of one test, with bundles, keys and repositories in it.

#include <string>

#include "cli/app.h"
#include "common/file.h"

namespace davit::test {

class Workshop {
public:
    Workshop();
    ~Workshop();
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;

    [[nodiscard]] Path path(std::string_view name) const { return root_ / name; }
    [[nodiscard]] Path key() const { return path("release.key"); }
    [[nodiscard]] Path repository() const { return path("build-repo"); }

    /// A bundle that passes every check. @param extra further members of davit.json, each with a comma in front
    [[nodiscard]] Path bundle(const std::string& name, const std::string& version, const std::string& extra = "") const;
    /// The same in the older form: config.json and no davit.json.
    [[nodiscard]] Path legacy_bundle(const std::string& name) const;

    /// What `davit app commit` is given for @p bundle, with a fixed time.
    [[nodiscard]] cli::CommitOptions commit_options(const Path& bundle) const;
    /// The commit of a new bundle.
    std::string commit(const std::string& name, const std::string& version, const std::string& extra = "") const;

private:
    Path root_;
};

void write(const Path& path, std::string_view content);

}  // namespace davit::test
