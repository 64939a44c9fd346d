#include "agent/systemd/unit_files.h"

#include <algorithm>

#include "common/file.h"

namespace davit {

Result<void> UnitFiles::write(const std::vector<Bundle>& apps) {
    TRY(file::make_directories(links()));
    for (const auto& app : apps) {
        const auto text = TRY(unit_text(app, options_).transform_error(in("unit of '" + app.manifest.name + "'")));
        const Path path = options_.paths.units / unit_name(app.manifest.name);
        if (const auto old = file::read(path); !old || *old != text) {
            TRY(about_to_change());
            TRY(file::write_atomically(path, text));
        }
        TRY(write_link(app.manifest));
    }
    return {};
}

Result<void> UnitFiles::write_link(const Manifest& manifest) {
    const Path link = links() / unit_name(manifest.name);
    if (file::exists(link) == manifest.autostart) return {};
    TRY(about_to_change());
    return manifest.autostart ? file::symlink(Path("..") / unit_name(manifest.name), link)
                              : file::remove_if_there(link);
}

Result<void> UnitFiles::remove_all_but(const std::vector<std::string>& keep) {
    for (const Path& directory : {links(), options_.paths.units}) {
        for (const auto& name : TRY(file::list(directory))) {
            const auto app = app_of_unit(name);
            if (!app || std::ranges::contains(keep, *app)) continue;
            TRY(about_to_change());
            TRY(file::remove_if_there(directory / name));
        }
    }
    return {};
}

bool UnitFiles::reload_needed() const {
    return file::exists(mark());
}
Result<void> UnitFiles::reloaded() {
    return file::remove_if_there(mark());
}

Result<void> UnitFiles::about_to_change() {
    TRY(file::make_directories(options_.paths.run, 0700));
    return file::write_atomically(mark(), "");
}

}  // namespace davit
