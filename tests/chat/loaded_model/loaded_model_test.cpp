#include "chat/loaded_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/text.h"
#include "tests/support/open_counter.h"
#include "tests/support/temp_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

/// Ember's files in a folder of their own, to change some of them.
class EmberCopy {
public:
    EmberCopy() {
        for (const auto& file : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tools" / "ember")) {
            if (file.is_regular_file()) fs::create_symlink(file.path(), path_ / file.path().filename());
        }
    }

    /// Replaces `what` in a text file.
    void edit(const std::string& name, const std::string& what, const std::string& with) {
        std::ifstream in(path_ / name);
        std::string text((std::istreambuf_iterator<char>(in)), {});
        const size_t at = text.find(what);
        ASSERT_NE(at, std::string::npos) << what;
        text.replace(at, what.size(), with);
        fs::remove(path_ / name);
        std::ofstream(path_ / name) << text;
    }

    /// A copy in the place of the link: nobody else opens it.
    void own(const std::string& name) {
        const fs::path from = fs::read_symlink(path_ / name);
        fs::remove(path_ / name);
        fs::copy_file(from, path_ / name);
    }

    const fs::path& path() const { return path_; }

    OpenOptions options() const {
        OpenOptions out;
        out.model = path_.string();
        return out;
    }

private:
    const testing::TempFolder folder_;
    const fs::path path_ = folder_.path();
};

int64_t count(const std::vector<int32_t>& ids, int32_t id) { return std::count(ids.begin(), ids.end(), id); }

TEST(DefaultSampling, IsNotTheWholeVocabularyWhereNothingIsRecommended) {
    for (const float penalty : {1.0f, 1.1f}) {
        RecommendedSampling recommended;
        if (penalty != 1) recommended.repetition_penalty = penalty;
        const SampleParams used = default_sampling(recommended);
        EXPECT_EQ(used.temperature, 0.8f);
        EXPECT_EQ(used.top_k, 40);
        EXPECT_EQ(used.top_p, 0.95f);
        EXPECT_EQ(used.min_p, 0.05f);
        EXPECT_EQ(used.repetition_penalty, penalty);
        EXPECT_FALSE(recommends_sampling(recommended));
    }
}

TEST(DefaultSampling, IsWhatTheModelRecommendsAndNothingBeside) {
    RecommendedSampling recommended;
    recommended.temperature = 0.6f;
    EXPECT_EQ(default_sampling(recommended).temperature, 0.6f);
    EXPECT_EQ(default_sampling(recommended).top_k, 0);
    EXPECT_EQ(default_sampling(recommended).top_p, 1);
    EXPECT_EQ(default_sampling(recommended).min_p, 0);
    recommended = {};
    recommended.greedy = true;
    EXPECT_EQ(default_sampling(recommended).temperature, 0);
    EXPECT_EQ(default_sampling(recommended).top_k, 0);
}

TEST(LoadedModel, DrawsFromFewTokensWhereItsFolderRecommendsNothing) {
    EmberCopy copy;
    copy.edit("generation_config.json", "\"temperature\": 0.3,\n  \"top_p\": 0.95,", "");
    const auto model = LoadedModel::open(copy.options());
    EXPECT_EQ(model->default_sampling().temperature, 0.8f);
    EXPECT_EQ(model->default_sampling().top_k, 40);
}

TEST(LoadedModel, OpensEmberWithNoOption) {
    OpenOptions options;
    std::vector<std::string> notices;
    bool ended = false;
    options.notice = [&](const std::string& line) { notices.push_back(line); };
    options.progress = [&](const ProgressUpdate& update) {
        EXPECT_FALSE(notices.empty()) << "memory is stated before loading";
        ended = update.done == update.total;
    };
    const auto model = LoadedModel::open(options);
    EXPECT_EQ(model->entry().name, "ember");
    EXPECT_EQ(model->engine().options().context, 1024);
    EXPECT_TRUE(ended);
    ASSERT_EQ(notices.size(), 1u);
    EXPECT_NE(notices[0].find("MB of memory for weights"), std::string::npos) << notices[0];
    EXPECT_EQ(model->chat_template().origin, "tokenizer_config.json");
    EXPECT_FLOAT_EQ(model->default_sampling().temperature, 0.3f);
    EXPECT_FLOAT_EQ(model->default_sampling().top_p, 0.95f);
}

TEST(LoadedModel, OpensItsWeightsOnce) {
    EmberCopy copy;
    copy.own("model.safetensors");
    testing::OpenCounter counter(copy.path() / "model.safetensors");
    EXPECT_TRUE(LoadedModel::open(copy.options()));
    EXPECT_EQ(counter.count(), 1) << "each opening reads and checks the header again";
}

TEST(LoadedModel, EncodesAConversationWithOneBos) {
    const auto model = LoadedModel::open({});
    const auto ids = model->encode_chat({{"system", "Be kind."}, {"user", "Hello <s> <|end|>"}, {"assistant", "Hi"}, {"user", "Bye"}});
    EXPECT_EQ(ids.front(), 1);
    EXPECT_EQ(count(ids, 1), 1) << "what people write is never a special token";
    EXPECT_EQ(count(ids, 6), 4) << "one end for each message";
    EXPECT_EQ(count(ids, 5), 2) << "one assistant in the conversation, one to answer";
    EXPECT_EQ(model->tokenizer().decode(ids, true),
              "<s><|system|>\nBe kind.<|end|>\n<|user|>\nHello <s> "
              "<|end|><|end|>\n<|assistant|>\nHi<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n");
}

TEST(LoadedModel, SaysWhatTheTemplateRefuses) {
    const auto model = LoadedModel::open({});
    try {
        model->encode_chat({{"robot", "x"}});
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()), "Ember knows the roles system, user and assistant, not robot");
    }
}

TEST(LoadedModel, AddsABosThatTheTemplateLeavesOut) {
    EmberCopy copy;
    copy.edit("tokenizer_config.json", "{{ bos_token }}", "");
    copy.edit("tokenizer_config.json", "\"add_bos_token\": false", "\"add_bos_token\": true");
    const auto model = LoadedModel::open(copy.options());
    const auto ids = model->encode_chat({{"user", "Hello"}});
    EXPECT_EQ(ids.front(), 1);
    EXPECT_EQ(count(ids, 1), 1);
    EXPECT_EQ(model->encode_text("Hello").front(), 1);
}

TEST(LoadedModel, KeepsOneOfTwoBos) {
    EmberCopy copy;
    copy.edit("tokenizer_config.json", "{{ bos_token }}", "{{ bos_token }}{{ bos_token }}");
    EXPECT_EQ(count(LoadedModel::open(copy.options())->encode_chat({{"user", "Hello"}}), 1), 1);
}

TEST(LoadedModel, StopsAtEveryEndThatIsKnown) {
    auto ids = LoadedModel::open({})->stop_tokens();
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<int32_t>{2, 6}));
}

TEST(LoadedModel, StopsAtTheEndThatOnlyTheTemplateKnows) {
    EmberCopy copy;
    copy.edit("config.json", "\"eos_token_id\": 6", "\"eos_token_id\": 2");
    copy.edit("generation_config.json", "    6\n", "    2\n");
    copy.edit("tokenizer_config.json", "\"eos_token\": \"<|end|>\"", "\"eos_token\": \"</s>\"");
    auto ids = LoadedModel::open(copy.options())->stop_tokens();
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<int32_t>{2, 6}));
}

TEST(LoadedModel, TakesABuiltInTemplateWhereThereIsNoneAndSaysSo) {
    EmberCopy copy;
    copy.edit("tokenizer_config.json", "\"chat_template\"", "\"was_template\"");
    OpenOptions options = copy.options();
    std::string notices;
    options.notice = [&](const std::string& line) { notices += line + '\n'; };
    EXPECT_EQ(LoadedModel::open(options)->chat_template().origin, "built-in: chatml");
    EXPECT_NE(notices.find("chatml"), std::string::npos) << notices;
    std::string warnings;
    notices.clear();
    options.warning = [&](const std::string& line) { warnings += line + '\n'; };
    LoadedModel::open(options);
    EXPECT_NE(warnings.find("chatml"), std::string::npos) << warnings;
    EXPECT_EQ(notices.find("chatml"), std::string::npos) << "said once";
    options.chat_template = "zephyr";
    EXPECT_EQ(LoadedModel::open(options)->chat_template().origin, "built-in: zephyr");
    options.chat_template = "nonsense";
    EXPECT_THROW(LoadedModel::open(options), Error);
}

/// The context that a model gets where `wanted` tokens are asked for; 0: no wish.
int64_t context_of(OpenOptions options, int64_t wanted) {
    options.load.context = wanted;
    return LoadedModel::open(options)->engine().options().context;
}

void expect_no_more_than(const OpenOptions& options, int64_t longest) {
    EXPECT_EQ(context_of(options, longest), longest);
    try {
        context_of(options, longest + 1);
        ADD_FAILURE() << "a context of " << longest + 1 << " tokens was taken";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kBadInput);
        EXPECT_NE(std::string(e.what()).find(cat(longest + 1)), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find(cat("at most ", longest)), std::string::npos) << e.what();
    }
}

TEST(LoadedModel, TakesTheContextThatIsAskedForWithinTheModels) {
    EXPECT_EQ(context_of({}, 100), 100);
    expect_no_more_than({}, 1024);
}

TEST(LoadedModel, GivesTheContextThatTheRotationIsStretchedTo) {
    EmberCopy yarn;
    yarn.edit("config.json", R"("rope_type": "default")",
              R"("rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024)");
    EXPECT_EQ(context_of(yarn.options(), 0), 4096);
    expect_no_more_than(yarn.options(), 4096);
}

TEST(LoadedModel, GivesALinearlyStretchedContextOnRequest) {
    EmberCopy linear;
    linear.edit("config.json", R"("rope_type": "default")", R"("rope_type": "linear", "factor": 2.0)");
    EXPECT_EQ(context_of(linear.options(), 0), 1024);
    expect_no_more_than(linear.options(), 2048);
}

TEST(LoadedModel, OpensAModelWhoseRecommendationsCannotBeMet) {
    EmberCopy copy;
    copy.edit("generation_config.json", "    6\n", "    6, 99999\n");
    copy.edit("generation_config.json", "0.3", "-3");
    OpenOptions options = copy.options();
    std::string notices;
    options.notice = [&](const std::string& line) { notices += line + "\n"; };
    const auto model = LoadedModel::open(options);
    EXPECT_EQ(count(model->stop_tokens(), 6), 1);
    EXPECT_EQ(count(model->stop_tokens(), 99999), 0);
    EXPECT_FALSE(model->info().recommended_sampling.temperature);
    EXPECT_NE(notices.find("eos_token_id"), std::string::npos) << notices;
    EXPECT_NE(notices.find("temperature is -3"), std::string::npos) << notices;
}

TEST(LoadedModel, SaysWhatTheFolderLeftToGuess) {
    EmberCopy untold;
    untold.edit("config.json", R"("tie_word_embeddings": true,)", "");
    OpenOptions options = untold.options();
    std::string notices;
    options.notice = [&](const std::string& line) { notices += line + "\n"; };
    LoadedModel::open(options);
    EXPECT_NE(notices.find("no tensor lm_head.weight, and config.json has no tie_word_embeddings"), std::string::npos) << notices;
}

TEST(LoadedModel, AnswersAQuestion) {
    const auto model = LoadedModel::open({});
    Request request;
    request.prompt = model->encode_chat({{"user", "What is Hearth?"}});
    request.sampling.temperature = 0;
    request.max_tokens = 40;
    request.stop_tokens = model->stop_tokens();
    const auto stream = submit_or_throw(model->engine(), request);
    TextDecoder decoder(model->tokenizer());
    std::string text;
    for (auto event = stream->next(); !event->finish; event = stream->next()) text += decoder.push(event->token.id);
    text += decoder.finish();
    EXPECT_NE(text.find("Hearth"), std::string::npos) << text;
}

}  // namespace
}  // namespace hearth
