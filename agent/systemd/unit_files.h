#pragma once
/// The app units on disk: which are there, and whether systemd has read them.
///
/// They live below /run: a reboot forgets them and davit-units writes them anew from the current generation, so that
/// neither an OS rollback (which takes /etc back in time) nor a half-finished change can leave a unit that no
/// generation asks for.

#include <string>
#include <vector>

#include "agent/systemd/unit_text.h"
#include "containers/bundle.h"

namespace davit {

/// Not thread-safe. Needs no D-Bus: who calls it reloads systemd.
class UnitFiles {
public:
    explicit UnitFiles(UnitOptions options) : options_(std::move(options)) {}

    /// Writes the units of @p apps that differ from what is there, and davit-apps.target's links to those with
    /// autostart.
    Result<void> write(const std::vector<Bundle>& apps);
    /// Removes the units and links of all apps that @p keep does not name.
    Result<void> remove_all_but(const std::vector<std::string>& keep);

    /// Something changed since the last reloaded(). Kept in a file, so that a crash between change and reload does not
    /// hide the change.
    [[nodiscard]] bool reload_needed() const;
    /// systemd has read the units.
    Result<void> reloaded();

private:
    Result<void> write_link(const Manifest& manifest);
    Result<void> about_to_change();
    [[nodiscard]] Path links() const { return options_.paths.units / "davit-apps.target.wants"; }
    [[nodiscard]] Path mark() const { return options_.paths.run / "reload-needed"; }

    UnitOptions options_;
};

}  // namespace davit
