#include "tests/chat/http/running_server.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "loaders/model_directory.h"

namespace hearth::testing {

namespace fs = std::filesystem;

std::unique_ptr<Server> ServerTest::server_;
std::unique_ptr<ModelFolder> ServerTest::models_;

ModelFolder::ModelFolder() {
    fs::create_directories(folder_ / "org");
    fs::create_directory_symlink(std::filesystem::path(HEARTH_SOURCE_DIR) / "tools" / "ember", folder_ / "twin");
    fs::create_directory_symlink(std::filesystem::path(HEARTH_SOURCE_DIR) / "tools" / "ember", folder_ / "org/pair");
    folder_.write("broken/config.json", "{\"model_type\": \"llama\"}");
    folder_.write("broken/model.safetensors", "not a checkpoint");
    ::setenv("HEARTH_MODELS", path().c_str(), 1);
}

ModelFolder::~ModelFolder() { ::unsetenv("HEARTH_MODELS"); }

std::unique_ptr<Server> start_server(const std::string& model, int64_t context, int64_t memory_bytes, int drain_wait_ms) {
    ServerOptions options;
    options.port = 0;
    options.model.memory_bytes = memory_bytes;
    options.drain_wait_ms = drain_wait_ms;
    options.model.model = model;
    options.model.load.context = context;
    auto server = std::make_unique<Server>(std::move(options));
    server->start();
    return server;
}

void ServerTest::SetUpTestSuite() {
    models_ = std::make_unique<ModelFolder>();
    server_ = start_server();
}

void ServerTest::TearDownTestSuite() {
    server_->stop(0);
    server_->wait();
    server_.reset();
    models_.reset();
}

bool ServerTest::wait_for_state(const std::string& name, const std::string& state) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
        const auto list = nlohmann::json::parse(get(port(), "/api/models").body);
        for (const auto& model : list.at("models")) {
            if (model.at("name") == name && model.at("state") == state) return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

std::string status_of(const std::string& body) { return nlohmann::json::parse(body).value("status", ""); }

nlohmann::json small_request(const std::string& text) {
    return {{"model", "ember"},
            {"messages", nlohmann::json::array({{{"role", "user"}, {"content", text}}})},
            {"max_tokens", 16},
            {"temperature", 0}};
}

nlohmann::json error_of(const Reply& reply) {
    const auto body = nlohmann::json::parse(reply.body, nullptr, false);
    if (!body.is_object() || !body.contains("error")) {
        ADD_FAILURE() << "no error object: " << reply.status << ' ' << reply.body.substr(0, 200);
        return nlohmann::json::object();
    }
    const auto& error = body["error"];
    EXPECT_EQ(error.size(), 4u);
    EXPECT_TRUE(error.contains("message") && error["message"].is_string() && !error["message"].get<std::string>().empty()) << body;
    EXPECT_TRUE(error.contains("type") && error["type"].is_string()) << body;
    EXPECT_TRUE(error.contains("param") && (error["param"].is_string() || error["param"].is_null())) << body;
    EXPECT_TRUE(error.contains("code") && (error["code"].is_string() || error["code"].is_null())) << body;
    return error;
}

}  // namespace hearth::testing
