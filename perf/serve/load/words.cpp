#include "perf/serve/load/words.h"

#include <string_view>

namespace hearth::perf {

namespace {

/// Short and common, so that tokenizers of English text have most of them as one token.
constexpr std::string_view kWords[] = {
    "river",   "stone",  "light",  "small",  "house",    "green",   "water",  "morning", "garden", "little",  "paper",   "table",  "window",
    "summer",  "winter", "market", "street", "bread",    "music",   "story",  "letter",  "number", "animal",  "friend",  "mother", "father",
    "brother", "sister", "island", "forest", "mountain", "village", "city",   "road",    "bridge", "train",   "boat",    "horse",  "bird",
    "fish",    "apple",  "sugar",  "salt",   "milk",     "coffee",  "dinner", "kitchen", "school", "teacher", "student", "doctor", "farmer",
    "worker",  "king",   "queen",  "child",  "people",   "family",  "group",  "team",    "game",   "ball",    "song",    "dance",  "color",
    "white",   "black",  "blue",   "yellow", "brown",    "large",   "long",   "short",   "high",   "deep",    "wide",    "new",    "old",
    "young",   "early",  "late",   "warm",   "cold",     "dry",     "quick",  "slow",    "quiet",  "loud",    "bright",  "dark",   "heavy",
    "soft",    "hard",   "simple", "strong", "happy",    "ready",   "open",   "walk",    "run",    "read",    "write",   "speak",  "listen",
    "build",   "carry",  "hold",   "bring",  "watch",    "learn",   "teach",  "think",   "begin",  "finish",  "follow",  "change", "move",
    "turn",    "stand",  "rest",   "sleep",  "wake",     "eat",     "drink",  "cook",    "clean",  "buy",     "sell",    "send",   "find",
    "keep",    "lose",   "break",  "close",  "cut",      "draw",    "fall",   "grow",    "help",   "hope",    "today",   "before", "after",
    "again",   "often",  "never",  "always", "here",     "there",   "under",  "over",    "near",   "between", "behind",  "north",  "south",
    "east",    "west",   "left",   "right",  "first",    "second",  "third",  "last",    "next",   "every",   "other",   "many",   "year",
    "month",   "week",   "day",    "night",  "hour",     "minute",  "time",   "clock",   "spring", "sun",     "moon",    "star",   "cloud",
    "rain",    "snow",   "wind",   "fire",   "earth",    "sand",    "grass",  "tree",    "leaf",   "root",    "flower",  "seed",   "field",
    "hill",    "wood",   "glass",  "metal",  "gold",     "silver",  "cloth",  "cotton",  "wall",   "door",    "floor",   "roof",   "chair",
    "lamp",    "book",
};

}  // namespace

std::string random_words(Random& random, int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) {
        if (i > 0) out += ' ';
        out += kWords[random.whole(0, std::ssize(kWords) - 1)];
    }
    return out;
}

}  // namespace hearth::perf
