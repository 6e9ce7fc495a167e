// A server on a free port of 127.0.0.1 with Ember, a second model that is Ember under another name, and one that is broken.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chat/http/server.h"
#include "tests/chat/http/client.h"
#include "tests/support/temp_folder.h"

namespace hearth::testing {

/// A model directory in a temporary folder, which HEARTH_MODELS names while it lives: twin, org/pair (both Ember's files) and broken.
class ModelFolder {
public:
    ModelFolder();
    ~ModelFolder();
    const std::filesystem::path& path() const { return folder_.path(); }

private:
    const TempFolder folder_;
};

/// One server for all tests of a suite. Ends without waiting for what still runs.
class ServerTest : public ::testing::Test {
protected:
    static void SetUpTestSuite();
    static void TearDownTestSuite();

    static int port() { return server_->port(); }
    static Reply chat(nlohmann::json request) { return post(port(), "/v1/chat/completions", request.dump()); }

    /// Waits until `name` is in that state as /api/models tells; false after a minute.
    static bool wait_for_state(const std::string& name, const std::string& state);

    static std::unique_ptr<Server> server_;
    static std::unique_ptr<ModelFolder> models_;
};

/// `memory_bytes`: of all models together; 0: what the device has.
std::unique_ptr<Server> start_server(const std::string& model = "", int64_t context = 0, int64_t memory_bytes = 0,
                                     int drain_wait_ms = 120'000);

/// The "status" of a body of /health.
std::string status_of(const std::string& body);

/// {"model": "ember", "messages": [one of the user], "max_tokens": 16, "temperature": 0}
nlohmann::json small_request(const std::string& text = "Hello");

/// The fields of {"error": {...}}, after looking that all four are there with their types.
nlohmann::json error_of(const Reply& reply);

}  // namespace hearth::testing
