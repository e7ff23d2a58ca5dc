"""Takes out the last look at the finished files, as a killed run does; masking at the source must be enough."""

from reports import allure

allure.scrub = lambda out, mask: None
