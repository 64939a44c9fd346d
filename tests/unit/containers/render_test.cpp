#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/bundle.h"
#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using nlohmann::json;
using test::hello_manifest;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class RenderTest : public testing::Test {
protected:
    Result<json> try_render(const json& manifest, const Policy& policy = {}) const {
        directory_.manifest(manifest);
        return render_config(directory_.read().value(), policy, paths_, "/apps/hello/ctr");
    }

    json render(const json& manifest = hello_manifest(), const Policy& policy = {}) const {
        auto config = try_render(manifest, policy);
        EXPECT_TRUE(config) << (config ? "" : config.error().message);
        return config.value_or(json::object());
    }

    Result<json> try_legacy(const json& config, const LegacyOptions& options = {}, const Policy& policy = {}) const {
        directory_.config(config);
        return render_config(directory_.read(options).value(), policy, paths_, "/apps/hello/ctr");
    }

    static json mount_at(const json& config, std::string_view destination) {
        json found;
        for (const auto& mount : config["mounts"]) {
            if (mount["destination"] == destination) found = mount;  // the last one is what the app sees
        }
        return found;
    }

    static std::vector<std::string> namespaces(const json& config) {
        std::vector<std::string> out;
        for (const auto& entry : config["linux"]["namespaces"])
            out.push_back(entry["type"]);
        return out;
    }

    const Path root_ = test::fresh_directory();
    const DevicePaths paths_{.state = "/state", .run = "/run/davit", .policy = "/none"};
    test::BundleDirectory directory_{root_ / "bundle"};
};

TEST_F(RenderTest, PutsTheContainerOnAReadOnlyRootInItsCgroup) {
    const auto config = render();
    EXPECT_EQ(config["ociVersion"], "1.0.2");
    EXPECT_EQ(config["root"], json({{"path", "/run/davit/hello/rootfs"}, {"readonly", true}}));
    EXPECT_EQ(config["hostname"], "hello");
    EXPECT_EQ(config["linux"]["cgroupsPath"], "/apps/hello/ctr");
    EXPECT_EQ(config["process"]["terminal"], false);
    EXPECT_EQ(config["process"]["noNewPrivileges"], true);
    EXPECT_FALSE(config.contains("hooks"));
}

TEST_F(RenderTest, GivesNoCapabilitiesUnlessAsked) {
    const auto capabilities = render()["process"]["capabilities"];
    for (const auto* set : {"bounding", "effective", "inheritable", "permitted", "ambient"})
        EXPECT_EQ(capabilities[set], json::array()) << set;
}

TEST_F(RenderTest, GivesCapabilitiesThatWorkForRootAndForOthers) {
    auto manifest = hello_manifest();
    manifest["capabilities"] = {"net_bind_service"};
    const json wanted = {"CAP_NET_BIND_SERVICE"};
    const auto root = render(manifest)["process"]["capabilities"];
    EXPECT_EQ(root["bounding"], wanted);
    EXPECT_EQ(root["effective"], wanted);
    EXPECT_EQ(root["permitted"], wanted);
    EXPECT_EQ(root["ambient"], json::array());

    manifest["process"]["user"] = "1000:1000";
    const auto user = render(manifest)["process"]["capabilities"];
    EXPECT_EQ(user["ambient"], wanted);
    EXPECT_EQ(user["inheritable"], wanted);
}

TEST_F(RenderTest, RefusesACapabilityThatThePolicyDoesNotAllow) {
    auto manifest = hello_manifest();
    manifest["capabilities"] = {"CAP_NET_ADMIN"};
    const auto config = try_render(manifest);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::PolicyRefused);
    EXPECT_EQ(config.error().message,
              "app 'hello' asks for capability CAP_NET_ADMIN (davit.json: capabilities), "
              "which policy.json does not allow (capabilities)");
    EXPECT_TRUE(try_render(manifest, {.capabilities = {"CAP_NET_ADMIN"}}));
}

TEST_F(RenderTest, TakesTheProcessFromTheManifest) {
    auto manifest = hello_manifest();
    manifest["process"] = {{"args", {"/bin/hello", "x y"}}, {"env", {{"A", "1"}}}, {"user", "7:8"}, {"cwd", "/etc"}};
    const auto process = render(manifest)["process"];
    EXPECT_EQ(process["args"], json({"/bin/hello", "x y"}));
    EXPECT_EQ(process["user"], json({{"uid", 7}, {"gid", 8}}));
    EXPECT_EQ(process["cwd"], "/etc");
    EXPECT_THAT(process["env"], Contains("A=1"));
    EXPECT_THAT(process["env"], Contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
}

TEST_F(RenderTest, BindsSystemdsNotifySocketOnlyForNotify) {
    auto manifest = hello_manifest();
    const auto notify = render(manifest);
    EXPECT_EQ(mount_at(notify, "/run/systemd/notify")["source"], "/run/systemd/notify");
    EXPECT_EQ(notify["mounts"].back()["destination"], "/run/systemd/notify") << "nothing may cover it";
    EXPECT_THAT(notify["process"]["env"], Contains("NOTIFY_SOCKET=/run/systemd/notify"));

    manifest["start"]["type"] = "running";
    const auto running = render(manifest);
    EXPECT_TRUE(mount_at(running, "/run/systemd/notify").is_null());
    EXPECT_THAT(running["process"]["env"], Not(Contains("NOTIFY_SOCKET=/run/systemd/notify")));
}

TEST_F(RenderTest, SharesTheHostsNetworkOrGivesAnOwnOne) {
    auto manifest = hello_manifest();
    EXPECT_THAT(namespaces(render(manifest)), testing::UnorderedElementsAre("pid", "ipc", "uts", "mount", "cgroup"));
    manifest["network"] = "none";
    EXPECT_THAT(namespaces(render(manifest)), Contains("network"));
    EXPECT_TRUE(try_render(manifest, {.host_network = false}));
    manifest["network"] = "host";
    EXPECT_THAT(try_render(manifest, {.host_network = false}).error().message,
                HasSubstr("the host's network (davit.json: network)"));
}

TEST_F(RenderTest, ShowsTheHostsNameServiceWhereTheAppHasAPlaceForIt) {
    auto manifest = hello_manifest();
    test::write(directory_.rootfs() / "etc/hosts", "");
    const auto mount = mount_at(render(manifest), "/etc/hosts");
    EXPECT_EQ(mount["source"], "/etc/hosts");
    EXPECT_THAT(mount["options"], Contains("ro"));
    EXPECT_TRUE(mount_at(render(manifest), "/etc/resolv.conf").is_null()) << "no such file in this rootfs";
    manifest["network"] = "none";
    EXPECT_TRUE(mount_at(render(manifest), "/etc/hosts").is_null());
}

TEST_F(RenderTest, BindsVolumesWritable) {
    auto manifest = hello_manifest();
    manifest["volumes"] = json::array({{{"name", "data"}, {"path", "/data"}}});
    const auto mount = mount_at(render(manifest), "/data");
    EXPECT_EQ(mount["source"], "/state/data/hello/data");
    EXPECT_EQ(mount["options"], json({"rbind", "rw", "nosuid", "nodev"}));
}

TEST_F(RenderTest, MountsFreshFileSystemsOverTheStandardDirectories) {
    const auto config = render();
    for (const auto* directory : {"/proc", "/dev", "/sys", "/run", "/tmp"})
        EXPECT_FALSE(mount_at(config, directory).is_null()) << directory;
    EXPECT_THAT(mount_at(config, "/sys")["options"], Contains("ro"));
    EXPECT_THAT(mount_at(config, "/sys/fs/cgroup")["options"], Contains("ro"));
    EXPECT_THAT(config["linux"]["maskedPaths"], Contains("/proc/kcore"));
    EXPECT_THAT(config["linux"]["readonlyPaths"], Contains("/proc/sys"));
}

TEST_F(RenderTest, DeniesEveryDeviceButTheAllowedOnes) {
    auto manifest = hello_manifest();
    const json deny = {{"allow", false}, {"access", "rwm"}};
    EXPECT_EQ(render(manifest)["linux"]["resources"]["devices"], json::array({deny}));

    manifest["devices"] = {"/dev/null"};  // a node that every machine has
    EXPECT_THAT(try_render(manifest).error().message,
                HasSubstr("device /dev/null (davit.json: devices), which policy.json does not allow (devices)"));
    const auto linux = render(manifest, {.devices = {"/dev/null"}})["linux"];
    EXPECT_EQ(linux["resources"]["devices"][1],
              json({{"allow", true}, {"type", "c"}, {"major", 1}, {"minor", 3}, {"access", "rw"}}));
    EXPECT_EQ(linux["devices"][0]["path"], "/dev/null");

    manifest["devices"] = {"/dev/none"};
    EXPECT_EQ(try_render(manifest, {.devices = {"/dev/none"}}).error().code, Code::NotFound);
}

TEST_F(RenderTest, TakesFromTheOldFormWhatThePolicyAllows) {
    const json config = {
        {"ociVersion", "1.0.0"},
        {"process",
         {{"terminal", true},
          {"noNewPrivileges", false},
          {"args", {"/bin/hello"}},
          {"env", {"PATH=/bin"}},
          {"cwd", "/"},
          {"user", {{"uid", 1000}, {"gid", 1000}}},
          {"capabilities", {{"bounding", {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}}}}}},
        {"root", {{"path", "rootfs"}, {"readonly", false}}},
        {"hostname", "theirs"},
        {"hooks", {{"prestart", {{{"path", "/bin/evil"}}}}}},
        {"linux", {{"cgroupsPath", "/elsewhere"}, {"seccomp", {{"defaultAction", "SCMP_ACT_ALLOW"}}}}}};
    const auto rendered = try_legacy(config, {.notify = true});
    ASSERT_TRUE(rendered) << rendered.error().message;
    EXPECT_FALSE(rendered->contains("hooks"));
    EXPECT_EQ((*rendered)["root"]["readonly"], true);
    EXPECT_EQ((*rendered)["hostname"], "hello");
    EXPECT_EQ((*rendered)["process"]["terminal"], false);
    EXPECT_EQ((*rendered)["process"]["noNewPrivileges"], true);
    EXPECT_EQ((*rendered)["process"]["user"]["uid"], 1000);
    EXPECT_EQ((*rendered)["process"]["capabilities"]["bounding"],
              json({"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}));
    EXPECT_EQ((*rendered)["process"]["env"], json({"PATH=/bin", "NOTIFY_SOCKET=/run/systemd/notify"}));
    EXPECT_EQ((*rendered)["linux"]["cgroupsPath"], "/apps/hello/ctr");
    EXPECT_EQ((*rendered)["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ALLOW");
}

TEST_F(RenderTest, RefusesFromTheOldFormWhatThePolicyDoesNotAllow) {
    json config = {{"process", {{"args", {"/bin/hello"}}, {"capabilities", {{"effective", {"CAP_SYS_ADMIN"}}}}}}};
    EXPECT_THAT(try_legacy(config).error().message,
                HasSubstr("CAP_SYS_ADMIN (config.json: process.capabilities.effective)"));

    config = {{"process", {{"args", {"/bin/hello"}}}},
              {"mounts", {{{"destination", "/x"}, {"type", "bind"}, {"source", "/etc"}}}}};
    EXPECT_THAT(try_legacy(config).error().message,
                HasSubstr("the host's /etc (config.json: mounts[0]), which policy.json does not allow"));
}

TEST_F(RenderTest, AllowsHostDirectoriesThatThePolicyNamesAndWhatLiesBelow) {
    const auto allowed = root_ / "srv";
    std::filesystem::create_directories(allowed / "x");
    std::filesystem::create_symlink("/etc", allowed / "escape");
    const Policy policy{.bind_sources = {allowed.string()}};
    const auto config = [](const Path& source) {
        return json{
            {"process", {{"args", {"/bin/hello"}}}},
            {"mounts", {{{"destination", "/x"}, {"type", "bind"}, {"source", source.string()}, {"options", {"ro"}}}}}};
    };
    const auto rendered = try_legacy(config(allowed / "x"), {}, policy);
    ASSERT_TRUE(rendered) << rendered.error().message;
    EXPECT_EQ(mount_at(*rendered, "/x")["options"], json({"rbind", "ro", "nosuid", "nodev"}));
    std::filesystem::create_symlink("x", allowed / "link");
    EXPECT_EQ(mount_at(try_legacy(config(allowed / "link"), {}, policy).value(), "/x")["source"],
              (allowed / "x").string());
    EXPECT_TRUE(try_legacy(config(allowed), {}, policy));
    EXPECT_FALSE(try_legacy(config(allowed.string() + "-other"), {}, policy));
    EXPECT_FALSE(try_legacy(config(allowed / "escape"), {}, policy)) << "a link out of the allowed directory";
}

}  // namespace
}  // namespace davit
