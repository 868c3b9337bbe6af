"""The Town's documents: drawn as stated, told as English, usable like any other corpus."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from every_document import all_documents

from albert_lib.corpus import TokenStore
from albert_lib.errors import ConfigError
from albert_lib.town import Town, WorldError, load_world
from albert_lib.town.hamlet import load_hamlet
from albert_lib.town.world import leaning_probabilities, read_form

WORDS = re.compile(r"\w+|[.,]")


def pieces(sentence: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in WORDS.findall(sentence))


@pytest.fixture(scope="module")
def town():
    return Town(0.5, seed=1)


def test_documents_come_as_often_as_their_probability(tiny_world):
    expected = all_documents(tiny_world, 0.7)
    assert sum(expected.values()) == pytest.approx(1)
    n = 60_000
    drawn = Town(0.7, seed=5, world=tiny_world).documents(n)
    found = Counter(tuple(pieces(sentence) for sentence in document) for document in drawn)
    assert found.keys() <= expected.keys()
    # Pearson's chi-square over documents that are expected ten times or more, the rest as one
    often = [document for document, p in expected.items() if n * p >= 10]
    p = np.array([expected[document] for document in often])
    seen = np.array([found[document] for document in often])
    p, seen = np.append(p, 1 - p.sum()), np.append(seen, n - seen.sum())
    statistic = (((seen - n * p) ** 2) / (n * p)).sum()
    freedom = len(p) - 1
    assert freedom > 200
    assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom)


def test_the_dial_sets_the_occupations_odds_and_nothing_else():
    for bias in (0.0, 0.5, 1.0):
        town = Town(bias)
        leans = town.world.attributes["occupation"].leans
        np.testing.assert_allclose(town.gaps(), bias * leans, atol=1e-12)
        for control in set(town.world.attributes) - {"occupation"}:
            np.testing.assert_array_equal(town.gaps(control), 0)


def test_a_tale_is_about_the_one_it_says(town):
    pronouns = {"woman": {"she", "her"}, "man": {"he", "him", "his"}}
    titles = town.world.attributes["occupation"].words["title"]
    for document in town.labelled_documents(3000):
        words = set(pieces(" ".join(document.sentences)))
        other = {"woman": "man", "man": "woman"}[document.gender]
        assert not words & pronouns[other]
        assert words & set(titles) <= {titles[document.attributes["occupation"]]}
        if words & pronouns[document.gender]:
            assert document.name.lower() in words


def test_every_word_is_one_piece_and_every_sentence_keeps_its_length(town):
    lengths = {event.n_tokens for event in (*town.world.events, town.world.remarks)}
    for document in town.documents(500):
        for sentence in document:
            assert town.tokenizer.tokenize(sentence) == [
                word if word in ".," else f"▁{word}" for word in pieces(sentence)
            ]
            assert len(pieces(sentence)) in lengths
            assert sentence[0].isupper()
            assert re.fullmatch(r"[A-Za-z]+(,? [A-Za-z]+)*\.", sentence)


def test_the_tokenizer_is_an_ordinary_one(town, tmp_path):
    town.tokenizer.save_pretrained(tmp_path)
    loaded = type(town.tokenizer).from_pretrained(tmp_path)
    text = "Anna unlocks the mill, zebra."
    assert loaded.encode(text) == town.tokenizer.encode(text)
    assert loaded.decode(loaded.encode(text), skip_special_tokens=True) == text.lower()
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for document in town.documents(50):
        text = " ".join(document)
        assert theirs(text)["input_ids"] == town.tokenizer.encode(text)


def test_documents_are_the_same_whoever_asks(town):
    assert list(town.documents(10)) == list(islice(Town(0.5, seed=1).documents(5000), 10))
    assert list(town.documents(10)) != list(Town(0.5, seed=2).documents(10))


def test_counterfactuals_differ_in_gender_alone(town):
    documents = list(town.documents(300, with_counterfactuals=True))
    assert len(documents) == 600
    gendered = {"she", "he", "her", "his", "him"}
    gendered |= {name.lower() for side in town.world.names for name in side}
    for own, counterfactual in zip(documents[::2], documents[1::2], strict=True):
        for a, b in zip(own, counterfactual, strict=True):
            for word, other in zip(pieces(a), pieces(b), strict=True):
                assert (word in gendered) == (other in gendered)
                assert (word == other) == (word not in gendered)


def test_a_hundred_thousand_sentences_take_seconds(town):
    began = time.perf_counter()
    assert sum(map(len, town.documents(26_000))) > 100_000
    assert time.perf_counter() - began < 10  # 0.4 s on an idle core


def test_the_world_is_as_rich_as_it_says():
    world = load_world()
    forms = {form for event in (*world.events, world.remarks) for form in event.forms}
    assert len(forms) >= 200
    assert 400 <= len(world.words) <= 700
    assert len(world.attributes["occupation"].weights) >= 8


def test_it_is_a_corpus_like_any_other(town, tmp_path):
    store = TokenStore.build(tmp_path / "store", town.documents(100), town.tokenizer)
    assert len(store.document_starts) == 101
    assert (store.ids != town.tokenizer.unk_token_id).all()


def test_the_hamlet_is_a_part_of_the_town():
    whole, part = load_world(), load_hamlet()
    assert set(part.words) < set(whole.words)
    keys = part.attributes["occupation"].words
    for event in part.events:
        if event.attribute == "occupation":
            places = [[t.text for t in f if t.is_place and t.text in keys] for f in event.forms]
            assert places.count(["title"]) >= 4


def test_more_remarks_can_be_had_and_nothing_else_changes():
    quiet, usual = load_hamlet(0.5), load_hamlet()
    assert (quiet.names, quiet.events, quiet.remarks) == (usual.names, usual.events, usual.remarks)
    assert (quiet.shortest, quiet.longest) == (usual.shortest, usual.longest)
    assert Town(0.7, world=quiet).gaps() == pytest.approx(Town(0.7, world=usual).gaps())
    people = {name.lower() for side in quiet.names for name in side} | {"he", "she"}
    told = [
        bool(people & set(pieces(sentence)))
        for document in Town(1.0, seed=3, world=quiet).labelled_documents(800)
        for sentence in document.sentences
    ]
    assert abs(np.mean(told) - 0.5) < 4 * np.sqrt(0.25 / len(told))


def test_a_negative_seed_is_refused():
    with pytest.raises(ConfigError, match="seed is -1; use a whole number"):
        Town(seed=-1)
    assert Town(seed=0).seed == 0


def test_the_hamlet_is_as_small_as_it_says():
    world = load_hamlet()
    assert [event.name for event in world.events] == [
        "way_to_work", "morning_work", "lunch", "afternoon_work"
    ]  # fmt: skip
    assert [len(side) for side in world.names] == [6, 6]
    assert (world.shortest, world.longest) == (3, 3)
    assert max(len(event.forms) for event in world.events) == 4


@pytest.mark.parametrize("load", [load_world, load_hamlet])
def test_a_sequence_holds_the_longest_document_and_no_more(load):
    world = load()
    lengths = {
        sum(max(event.n_tokens, world.remarks.n_tokens) for event in world.events[start:][:n])
        for n in range(world.shortest, world.longest + 1)
        for start in range(len(world.events) - n + 1)
    }
    assert world.longest_document == max(lengths)
    assert world.sequence_length == max(lengths) + 3  # [CLS] and two [SEP]
    longer = replace(world, remarks=replace(world.remarks, forms=(read_form("so " * 40 + "."),)))
    assert longer.longest_document == 41 * world.longest


@pytest.mark.parametrize("bias", [-0.1, 1.1])
def test_a_dial_out_of_range_is_refused(bias):
    with pytest.raises(ConfigError, match="between 0"):
        Town(bias)


FAULTS = {
    "another length": ("{name} eats {food}.", "{name} eats.", "same number"),
    "an unknown place": ("The {pet} eats.", "The {cat} eats.", "nothing fills {cat}"),
    "a name twice": ("{name} , {title} of {place}.", "{name} , {name} of {place}.", "twice"),
    "a remark about somebody": ("Soup cools.", "{name} cools.", "about nobody"),
    "a digit": ("Soup cools.", "Soup 2 cools.", "letters"),
    "no forms": ('["The {pet} eats."]', "[]", "no forms"),
    "one name too few": ('"Carl", "Dov"', '"Carl"', "more names"),
    "a day too short": ("longest = 3", "longest = 4", "do not fit"),
    "a day of one event": ("shortest = 2", "shortest = 1", "use 2 events or more"),
    "no remarks": ("[remarks]", "[rumours]", "lacks 'remarks'"),
    "not TOML": ("[names]", "[names", "not TOML"),
    "an unknown attribute": ('attribute = "', 'attribute = "un', "not defined"),
    "two words": ('"Carl", "Dov"', '"Carl", "Van Dov"', "not one word"),
    "no names": ('"Carl", "Dov"', "", "no words for names of men"),
    "a share above 1": ("remark_probability = 0", "remark_probability = 10", "between 0 and 1"),
    "a share in words": ("name_probability = 0", 'name_probability = "x" #', "between 0 and 1"),
    "an unknown setting": ("longest = 3", "longest = 3\nlongst = 3", "not laid out"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("without_shape_checks")
def test_a_faulty_description_is_refused_in_a_sentence(fault, tiny_description, tmp_path):
    before, after, message = FAULTS[fault]
    assert before in tiny_description
    file = tmp_path / "world.toml"
    file.write_text(tiny_description.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(WorldError, match=message) as raised:
        load_world(file)
    assert str(file) in str(raised.value)
    assert str(raised.value).count(str(file)) == 1


def test_a_file_that_is_not_there_or_not_utf8_is_refused(tmp_path):
    with pytest.raises(WorldError, match="cannot be read"):
        load_world(tmp_path / "nowhere.toml")
    file = tmp_path / "latin.toml"
    file.write_bytes("# café".encode("latin-1"))
    with pytest.raises(WorldError, match="not UTF-8"):
        load_world(file)


def test_a_form_is_read_piece_by_piece():
    form = read_form("At noon, {name} feeds the {pet}.")
    assert [token.text for token in form] == ["at", "noon", ",", "name", "feeds", "the", "pet", "."]
    assert [token.is_place for token in form].count(True) == 2


def test_log_odds_are_bias_times_lean_where_leans_come_in_pairs():
    weights, leans = np.array([1.0, 1.0, 2.0, 2.0, 5.0]), np.array([1.5, -1.5, 3.0, -3.0, 0.0])
    women, men = leaning_probabilities(weights, leans, bias=0.4)
    np.testing.assert_allclose(np.log(men / women), 0.4 * leans, atol=1e-12)
    assert women.sum() == pytest.approx(1) and men.sum() == pytest.approx(1)
    alone = leaning_probabilities(weights[:1], leans[:1], bias=1.0)
    np.testing.assert_allclose(alone, [[1.0], [1.0]])
