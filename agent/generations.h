#pragma once
/// The sets of apps on this device, and the one link that says which set is live.
///
/// On disk: `generations/<n>/generation.json` + `generations/<n>/apps/<app>` -> `../../../checkouts/<app>/<commit>`,
/// `current` -> `generations/<n>`, `previous` -> `generations/<m>`, `held` -> … (downloaded for later),
/// `factory` -> … (only if the image shipped one).
/// Roles are links, never inferred. `generations/last`: the highest number ever used. generation.json:
/// (beside it generation.copy.json, the same, for the day on which the disk loses one of them)
/// {"os":"any","apps":[{"name":…,"version":…,"commit":…,"ref":…,"legacy":{"notify":…,"autostart":…,"timeout_ms":…}|null}]}

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "common/result.h"
#include "containers/manifest.h"

namespace davit {

struct AppVersion {
    std::string name;
    std::string version;
    std::string commit;
    std::string ref;
    std::optional<LegacyOptions> legacy;

    bool operator==(const AppVersion&) const = default;
};

struct Generation {
    std::uint64_t number = 0;
    std::string os = "any";        ///< the OS commit it was made for, or "any"
    std::vector<AppVersion> apps;  ///< sorted by name
    [[nodiscard]] const AppVersion* find(std::string_view app) const;
};

/// A generation is complete before it is named and never changes afterwards. Exactly one is current; moving `current`
/// is one rename, so a power cut leaves either the old or the new set, never a mixture.
///
/// Not thread-safe: owned by the engine's worker (davit-units and davit-launch only read). All paths lie on one file
/// system (hard links).
class Generations {
public:
    using Number = std::uint64_t;

    /// Opens the store below @p state (/var/lib/davit), creating it when absent.
    static Result<Generations> open(const Path& state);

    /// Removes what a crash or a finished deployment left behind: temporary names, generations that no role names, and
    /// checkouts that no remaining generation uses. Not while a deployment is under way: what it has checked out has no
    /// name yet.
    Result<void> collect_garbage();

    /// Writes a generation of @p apps beside the current one. Durable when it returns. Errors: NotFound if a checkout
    /// is absent; NoSpace.
    /// @return its number, greater than every number used before
    Result<Number> prepare(std::vector<AppVersion> apps);

    /// Makes @p n current; a rollback is the same call with the old number. Atomic and durable; does nothing if it is
    /// current already.
    Result<void> switch_to(Number n);
    /// Makes @p n `previous`: the set that was current before, once the new one is kept. A failed update leaves
    /// `previous` alone.
    Result<void> remember_previous(Number n);
    /// Makes @p n `held`: downloaded for a later deployment, so not garbage. One at a time; the newest counts.
    Result<void> hold(Number n);
    Result<void> release_held();

    /// nullopt: nothing was ever installed. Errors: Corrupt when the link or the generation it names is damaged.
    [[nodiscard]] Result<std::optional<Generation>> current() const;
    [[nodiscard]] Result<std::optional<Generation>> previous() const;
    [[nodiscard]] Result<Generation> load(Number n) const;
    /// A generation with the names of its roles: "current", "previous", "held", "factory".
    struct Named {
        Generation generation;
        std::vector<std::string> roles;
    };
    /// Every generation that a role names, by number.
    [[nodiscard]] Result<std::vector<Named>> named() const;
    /// Every app of every generation that a role names: what must stay on the disk.
    [[nodiscard]] Result<std::vector<AppVersion>> apps_in_use() const;
    [[nodiscard]] const Path& state() const { return state_; }

private:
    explicit Generations(Path state) : state_(std::move(state)) {}
    [[nodiscard]] Path directory(Number n) const;
    [[nodiscard]] Result<std::optional<Number>> role(std::string_view name) const;
    [[nodiscard]] Result<std::optional<Generation>> load_role(std::string_view name) const;
    Result<void> set_role(std::string_view name, Number n);
    [[nodiscard]] Result<std::vector<Number>> numbers() const;
    Result<Number> next_number();
    Result<void> write(const Path& directory, const Generation& generation) const;
    [[nodiscard]] Result<Generation> read(Number n, std::string_view name) const;
    [[nodiscard]] Result<void> mend(Number n) const;
    Result<void> remove_temporary_names() const;
    Result<void> remove_unused_checkouts() const;

    Path state_;
};

}  // namespace davit
