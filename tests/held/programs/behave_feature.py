from behave.parser import parse_feature


def once():
    f = parse_feature("Feature: a\n  Background:\n    Given z\n  @t\n  Scenario: b\n    Given c\n    Then d\n")
    s = f.scenarios[0]
    return s.name, s.feature.name, [x.name for x in s.all_steps], s.effective_tags and sorted(s.effective_tags)
