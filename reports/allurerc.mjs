export default {
  name: "Release gate",
  historyPath: "reports/history/allure.jsonl",
  appendHistory: true,
  plugins: {
    awesome: {
      options: {
        singleFile: true,
        reportLanguage: "en",
        groupBy: ["epic", "feature", "story"],
      },
    },
  },
};
